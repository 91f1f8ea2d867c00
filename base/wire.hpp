#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <msgpack/pack.hpp>

#include "base/bytes.hpp"
#include "base/errors.hpp"

namespace troupe::base {

/// Appends MessagePack values to a buffer it does not own. Not thread-safe.
class WireWriter {
 public:
  /// `context` reaches the codecs of types that need more than bytes (references of actors).
  explicit WireWriter(Bytes& out, const void* context = nullptr)
      : sink_{&out}, packer_(sink_), context_(context) {}

  void nil() { packer_.pack_nil(); }
  void boolean(bool value) { value ? packer_.pack_true() : packer_.pack_false(); }
  void unsigned_integer(std::uint64_t value) { packer_.pack_uint64(value); }
  void signed_integer(std::int64_t value) { packer_.pack_int64(value); }
  void floating(double value) { packer_.pack_double(value); }
  void text(std::string_view value) {
    packer_.pack_str(static_cast<std::uint32_t>(value.size()));
    packer_.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
  }
  void binary(ByteView value) {
    packer_.pack_bin(static_cast<std::uint32_t>(value.size()));
    packer_.pack_bin_body(reinterpret_cast<const char*>(value.data()),
                          static_cast<std::uint32_t>(value.size()));
  }
  /// Exactly `count` values follow.
  void array(std::size_t count) { packer_.pack_array(static_cast<std::uint32_t>(count)); }
  /// Exactly `count` keys, each followed by its value.
  void map(std::size_t count) { packer_.pack_map(static_cast<std::uint32_t>(count)); }
  /// Bytes that are already MessagePack.
  void raw(ByteView encoded) { append(*sink_.out, encoded); }

  /// Write structs as maps by field name, for readers without the schema. Off unless set.
  bool by_name = false;

  [[nodiscard]] const void* context() const { return context_; }
  [[nodiscard]] Bytes& out() { return *sink_.out; }

 private:
  struct Sink {
    Bytes* out;
    void write(const char* data, std::size_t size) {
      const auto* from = reinterpret_cast<const std::byte*>(data);
      out->insert(out->end(), from, from + size);
    }
  };
  Sink sink_;
  msgpack::packer<Sink> packer_;
  const void* context_;
};

/// What a WireReader allows one message to ask for.
struct WireLimits {
  std::uint32_t depth_max = 16;          ///< nested arrays and maps
  std::uint32_t elements_max = 1 << 20;  ///< array elements and map entries of a whole message
};

/// A cursor over one MessagePack message from the network: every length is checked against the
/// bytes that are there before anything is allocated. Not thread-safe; does not own the bytes.
///
/// A read that fails returns false and leaves an error that says where and what was expected; every
/// later read fails too.
class WireReader {
 public:
  explicit WireReader(ByteView bytes, const void* context = nullptr, WireLimits limits = {})
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), context_(context), limits_(limits) {}

  enum class Kind { nil, boolean, integer, floating, text, binary, array, map, extension, end };
  /// What the next value is, without reading it.
  [[nodiscard]] Kind peek() const;

  [[nodiscard]] bool nil();
  [[nodiscard]] bool boolean(bool& value);
  /// Any MessagePack integer within the range; also a float without a fraction.
  [[nodiscard]] bool signed_integer(std::int64_t& value, std::int64_t min, std::int64_t max);
  [[nodiscard]] bool unsigned_integer(std::uint64_t& value, std::uint64_t max);
  [[nodiscard]] bool floating(double& value);
  /// The view is valid as long as the bytes given to the constructor.
  [[nodiscard]] bool text(std::string_view& value);
  [[nodiscard]] bool binary(ByteView& value);
  /// Opens an array or map; leave() closes it. `count` never exceeds the bytes that are left.
  [[nodiscard]] bool enter_array(std::uint32_t& count);
  [[nodiscard]] bool enter_map(std::uint32_t& count);
  void leave() { --depth_; }
  /// Skips one value of any kind.
  [[nodiscard]] bool skip();

  /// Notes the first failure; returns false so that a codec can return it.
  bool fail(std::string_view expected);
  /// Puts "/name" before the error's place while a codec unwinds.
  bool fail_inside(std::string_view name);

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] std::size_t remaining_bytes() const {
    return static_cast<std::size_t>(end_ - at_);
  }
  /// Errc::malformed, e.g. "/user/id: expected int, got text".
  [[nodiscard]] Error error() const;
  [[nodiscard]] const void* context() const { return context_; }

 private:
  struct Header;
  bool read_header(Header& header);
  bool take(std::size_t count, const std::byte*& from);
  bool spend_elements(std::uint64_t count);
  bool fail_kind(std::string_view expected);
  bool enter(Kind kind, std::string_view expected, std::uint32_t& count);

  const std::byte* at_;
  const std::byte* end_;
  const void* context_;
  WireLimits limits_;
  std::uint32_t depth_ = 0;
  std::uint64_t elements_ = 0;
  bool failed_ = false;
  std::string place_;
  std::string problem_;
};

[[nodiscard]] std::string_view to_string(WireReader::Kind kind);

}  // namespace troupe::base
