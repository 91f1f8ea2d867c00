# Built in one image, run in another: what runs holds the two programs and the libraries they link.
FROM debian:bookworm-slim AS build
WORKDIR /troupe
# Packages first: this layer stays as long as the list in ./bootstrap does.
COPY bootstrap ./
RUN ./bootstrap packages build
COPY . .
RUN ./bootstrap build

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends \
        libzmq5 libfmt9 libspdlog1.10 libtomlplusplus3 libhttp-parser2.9 libprometheus-cpp-core1.0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7400 --home-dir /var/lib/troupe --create-home troupe
COPY --from=build /troupe/build/release/bin/trouped /troupe/build/release/bin/troupe /usr/local/bin/
USER troupe
EXPOSE 7400
# A node is told to leave by SIGTERM, and drains then.
STOPSIGNAL SIGTERM
ENTRYPOINT ["trouped"]
