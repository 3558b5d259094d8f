#include "aws/protocol/cbor.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

enum Major : unsigned { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };
constexpr std::uint64_t kIndefinite = UINT64_MAX;
constexpr unsigned char kBreak = 0xff;

struct Head {
  unsigned major;
  unsigned info;        // low five bits
  std::uint64_t value;  // the argument, or kIndefinite
};

float from_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  const double magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                           : exponent != 31 ? std::ldexp(mantissa + 1024, exponent - 25)
                           : mantissa == 0  ? HUGE_VAL
                                            : std::nan("");
  return static_cast<float>(half & 0x8000 ? -magnitude : magnitude);
}

class Bytes {
 public:
  explicit Bytes(std::string_view in) : in_(in) {}
  bool at_end() const { return at_ == in_.size(); }
  bool at_break() const {
    return at_ < in_.size() && static_cast<unsigned char>(in_[at_]) == kBreak;
  }
  void take_break() { ++at_; }

  Result<Head> head() {
    if (at_end()) return malformed("The CBOR ends too early");
    const auto first = static_cast<unsigned char>(in_[at_++]);
    Head head{static_cast<unsigned>(first) >> 5U, first & 0x1fU, 0};
    if (head.info < 24) {
      head.value = head.info;
    } else if (head.info < 28) {
      const std::size_t width = std::size_t{1} << (head.info - 24);
      if (in_.size() - at_ < width) return malformed("The CBOR ends too early");
      for (std::size_t i = 0; i < width; ++i)
        head.value = head.value << 8U | static_cast<unsigned char>(in_[at_ + i]);
      at_ += width;
    } else if (head.info == 31 && head.major >= kBytes && head.major <= kMap) {
      head.value = kIndefinite;
    } else {
      return malformed("The CBOR holds a reserved length");
    }
    // An item of a definite array or map takes at least a byte: a longer claim is a lie.
    if ((head.major == kArray || head.major == kMap) && head.value != kIndefinite &&
        head.value > in_.size() - at_)
      return malformed("The CBOR ends too early");
    return head;
  }

  // The bytes or text that `head` opened.
  Result<std::string> string(const Head& head) {
    std::string out;
    if (head.value != kIndefinite) {
      TRY(append(out, head.value));
    } else {
      while (!at_break()) {
        TRY_ASSIGN(const Head part, this->head());
        if (part.major != head.major || part.value == kIndefinite)
          return malformed("The CBOR holds a bad string chunk");
        TRY(append(out, part.value));
      }
      take_break();
    }
    if (head.major == kText && !is_utf8(out)) return malformed("A CBOR text is not valid UTF-8");
    return out;
  }

  // Calls item() for each of the items of an array, or pairs of a map.
  template <class Item>
  Result<Unit> items(const Head& head, Item item) {
    if (head.value == kIndefinite) {
      while (!at_break()) {
        if (at_end()) return malformed("The CBOR ends too early");
        TRY(item());
      }
      take_break();
    } else {
      for (std::uint64_t i = 0; i < head.value; ++i) TRY(item());
    }
    return Unit{};
  }

  Result<std::string> key() {
    TRY_ASSIGN(const Head head, this->head());
    if (head.major != kText) return malformed("A CBOR map's key is not text");
    return string(head);
  }

  Result<Unit> skip(const Head& head, int depth) {
    if (depth >= kMaxDepth) return malformed("The CBOR is nested too deeply");
    const auto one = [&]() -> Result<Unit> {
      TRY_ASSIGN(const Head inner, this->head());
      return skip(inner, depth + 1);
    };
    switch (head.major) {
      case kBytes:
      case kText:
        TRY(string(head));
        return Unit{};
      case kArray:
        return items(head, one);
      case kMap:
        return items(head, [&]() -> Result<Unit> {
          TRY(one());
          return one();
        });
      case kTag:
        return one();
      default:
        return Unit{};
    }
  }

 private:
  Result<Unit> append(std::string& out, std::uint64_t size) {
    if (in_.size() - at_ < size) return malformed("The CBOR ends too early");
    out.append(in_, at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return Unit{};
  }

  std::string_view in_;
  std::size_t at_ = 0;
};

bool is_null(const Head& head) {
  return head.major == kSimple && (head.info == 22 || head.info == 23);
}

std::optional<std::int64_t> integer(const Head& head) {
  if (head.value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  if (head.major == kUnsigned) return static_cast<std::int64_t>(head.value);
  if (head.major == kNegative) return -1 - static_cast<std::int64_t>(head.value);
  return std::nullopt;
}

std::optional<double> number(const Head& head) {
  if (const auto whole = integer(head)) return static_cast<double>(*whole);
  if (head.major == kUnsigned) return static_cast<double>(head.value);
  if (head.major == kNegative) return -1.0 - static_cast<double>(head.value);
  if (head.major != kSimple) return std::nullopt;
  if (head.info == 25) return from_half(static_cast<std::uint16_t>(head.value));
  if (head.info == 26) return std::bit_cast<float>(static_cast<std::uint32_t>(head.value));
  if (head.info == 27) return std::bit_cast<double>(head.value);
  return std::nullopt;
}

struct Reader {
  const Reading& reading;
  Bytes& in;
  int depth = 0;

  static std::unexpected<Error> mismatch(const char* wanted, const Path& path) {
    return malformed(
        str("The CBOR value can not be converted to ", wanted, " (at '", path.text(), "')"));
  }

  Result<Unit> value(const Shape& shape, const Head& head, void* out, const Path& path) {
    if (depth >= kMaxDepth) return malformed("The CBOR is nested too deeply");
    ++depth;
    auto result = inner(shape, head, out, path);
    --depth;
    return result;
  }

  Result<Unit> inner(const Shape& shape, const Head& head, void* out, const Path& path) {
    switch (shape.kind) {
      case Kind::kStructure: {
        Seen seen;
        TRY(structure(shape, head, out, path, seen));
        report_missing(reading, shape, seen, path);
        return Unit{};
      }
      case Kind::kList:
        return list(shape, head, out, path);
      case Kind::kMap:
        return map(shape, head, out, path);
      case Kind::kDocument:
        return malformed("Documents are not supported in CBOR");
      default:
        return scalar(shape, head, out, path);
    }
  }

  Result<Unit> structure(const Shape& shape, const Head& head, void* out, const Path& path,
                         Seen& seen) {
    if (head.major != kMap) return mismatch("a structure", path);
    std::size_t hint = 0;
    int set = 0, unknown = 0;
    TRY(in.items(head, [&]() -> Result<Unit> {
      TRY_ASSIGN(const std::string key, in.key());
      TRY_ASSIGN(const Head item, in.head());
      if (is_null(item)) return Unit{};
      const Member* member = find_member(
          shape, key, hint, [](const Member& m) { return std::string_view(m.wire_name); });
      if (!member) {
        unknown += key != "__type";
        return in.skip(item, depth);
      }
      seen.set(shape, *member);
      ++set;
      return value(*member->shape, item, make_value(out, *member), path.member(member->name));
    }));
    return check_union(reading, shape, set, unknown);
  }

  Result<Unit> list(const Shape& shape, const Head& head, void* out, const Path& path) {
    if (head.major != kArray) return mismatch("a list", path);
    std::size_t index = 0;
    return in.items(head, [&]() -> Result<Unit> {
      TRY_ASSIGN(const Head item, in.head());
      const Path at = path.element(index++);
      if (!is_null(item)) return value(*shape.element, item, new_element(shape, out), at);
      if (shape.element_optional)
        shape.list->push(out);
      else if (!reading.client)
        return malformed(str("A list may not hold null (at '", at.text(), "')"));
      return Unit{};
    });
  }

  Result<Unit> map(const Shape& shape, const Head& head, void* out, const Path& path) {
    if (head.major != kMap) return mismatch("a map", path);
    return in.items(head, [&]() -> Result<Unit> {
      TRY_ASSIGN(std::string key, in.key());
      TRY_ASSIGN(const Head item, in.head());
      const Path at = path.entry(key);
      if (!is_null(item)) return value(*shape.element, item, new_entry(shape, out, key), at);
      if (shape.element_optional)
        shape.map->put(out, key);
      else if (!reading.client)
        return malformed(str("A map may not hold null (at '", at.text(), "')"));
      return Unit{};
    });
  }

  Result<Unit> scalar(const Shape& shape, Head head, void* out, const Path& path) {
    if (head.major == kTag) {
      if (shape.kind == Kind::kTimestamp && head.value != 1) return mismatch("a Timestamp", path);
      TRY_ASSIGN(head, in.head());
    } else if (shape.kind == Kind::kTimestamp && !reading.client) {
      return mismatch("a Timestamp", path);
    }
    switch (shape.kind) {
      case Kind::kBoolean:
        if (head.major != kSimple || (head.info != 20 && head.info != 21))
          return mismatch("a Boolean", path);
        *static_cast<bool*>(out) = head.info == 21;
        return Unit{};
      case Kind::kInteger: {
        const auto whole = integer(head);
        if (!whole || !fits(shape, *whole)) return mismatch("an Integer", path);
        *static_cast<std::int32_t*>(out) = static_cast<std::int32_t>(*whole);
        return Unit{};
      }
      case Kind::kLong: {
        const auto whole = integer(head);
        if (!whole) return mismatch("a Long", path);
        *static_cast<std::int64_t*>(out) = *whole;
        return Unit{};
      }
      case Kind::kFloat:
      case Kind::kDouble: {
        const auto floating = number(head);
        if (!floating) return mismatch("a Double", path);
        if (shape.kind == Kind::kFloat)
          *static_cast<float*>(out) = static_cast<float>(*floating);
        else
          *static_cast<double*>(out) = *floating;
        return Unit{};
      }
      case Kind::kTimestamp: {
        const auto seconds = number(head);
        const auto time = seconds ? time_from_seconds(*seconds) : std::nullopt;
        if (!time) return mismatch("a Timestamp", path);
        *static_cast<Time*>(out) = *time;
        return Unit{};
      }
      default: {
        if (head.major != (shape.kind == Kind::kBlob ? kBytes : kText))
          return mismatch(shape.kind == Kind::kBlob ? "a Blob" : "a String", path);
        TRY_ASSIGN(*static_cast<std::string*>(out), in.string(head));
        return Unit{};
      }
    }
  }
};

struct Writer {
  std::string& out;

  void head(unsigned major, std::uint64_t value) {
    const auto lead = [&](unsigned info) { out += static_cast<char>(major << 5U | info); };
    int width = 0;
    if (value < 24) return lead(static_cast<unsigned>(value));
    if (value <= 0xff)
      lead(24), width = 1;
    else if (value <= 0xffff)
      lead(25), width = 2;
    else if (value <= 0xffffffff)
      lead(26), width = 4;
    else
      lead(27), width = 8;
    bytes(value, width);
  }
  void bytes(std::uint64_t value, int width) {
    for (int i = width - 1; i >= 0; --i)
      out += static_cast<char>(value >> (8U * static_cast<unsigned>(i)));
  }
  void text(std::string_view s, unsigned major = kText) {
    head(major, s.size());
    out += s;
  }
  void whole(std::int64_t v) {
    if (v >= 0)
      head(kUnsigned, static_cast<std::uint64_t>(v));
    else
      head(kNegative, static_cast<std::uint64_t>(-(v + 1)));
  }
  void floating(double v) {
    out += static_cast<char>(0xfb);
    bytes(std::bit_cast<std::uint64_t>(v), 8);
  }

  void structure(const Shape& shape, const void* v,
                 std::span<const std::pair<std::string, std::string>> extra) {
    std::size_t count = extra.size();
    for (const auto& member : shape.members) count += value_of(v, member) != nullptr;
    head(kMap, count);
    for (const auto& [key, item] : extra) {
      text(key);
      text(item);
    }
    for (const auto& member : shape.members) {
      const void* item = value_of(v, member);
      if (!item) continue;
      text(member.wire_name);
      value(*member.shape, item);
    }
  }

  void value(const Shape& shape, const void* v) {
    switch (shape.kind) {
      case Kind::kStructure:
        structure(shape, v, {});
        break;
      case Kind::kList: {
        const std::size_t count = shape.list->size(v);
        head(kArray, count);
        for (std::size_t i = 0; i < count; ++i) element(*shape.element, list_element(shape, v, i));
        break;
      }
      case Kind::kMap:
        head(kMap, shape.map->size(v));
        for_each_entry(shape, v, [&](const std::string& key, const void* item) {
          text(key);
          element(*shape.element, item);
        });
        break;
      case Kind::kBoolean:
        out += static_cast<char>(*static_cast<const bool*>(v) ? 0xf5 : 0xf4);
        break;
      case Kind::kInteger:
        whole(*static_cast<const std::int32_t*>(v));
        break;
      case Kind::kLong:
        whole(*static_cast<const std::int64_t*>(v));
        break;
      case Kind::kFloat:
        out += static_cast<char>(0xfa);
        bytes(std::bit_cast<std::uint32_t>(*static_cast<const float*>(v)), 4);
        break;
      case Kind::kDouble:
        floating(*static_cast<const double*>(v));
        break;
      case Kind::kTimestamp: {
        head(kTag, 1);
        const auto millis = to_millis(*static_cast<const Time*>(v));
        if (millis % 1000 == 0)
          whole(millis / 1000);
        else
          floating(static_cast<double>(millis) / 1000.0);
        break;
      }
      case Kind::kBlob:
        text(*static_cast<const std::string*>(v), kBytes);
        break;
      case Kind::kDocument:
        out += static_cast<char>(0xf6);
        break;
      default:
        text(*static_cast<const std::string*>(v));
    }
  }
  void element(const Shape& shape, const void* item) {
    if (item)
      value(shape, item);
    else
      out += static_cast<char>(0xf6);
  }
};

Result<Json> to_json_value(Bytes& in, const Head& head, int depth) {
  if (depth >= kMaxDepth) return malformed("The CBOR is nested too deeply");
  switch (head.major) {
    case kBytes: {
      TRY_ASSIGN(const std::string bytes, in.string(head));
      return Json(boost::json::string(to_base64(bytes)));
    }
    case kText: {
      TRY_ASSIGN(const std::string text, in.string(head));
      return Json(boost::json::string(text));
    }
    case kArray: {
      JsonArray array;
      TRY(in.items(head, [&]() -> Result<Unit> {
        TRY_ASSIGN(const Head item, in.head());
        TRY_ASSIGN(Json value, to_json_value(in, item, depth + 1));
        array.push_back(std::move(value));
        return Unit{};
      }));
      return Json(std::move(array));
    }
    case kMap: {
      JsonObject object;
      TRY(in.items(head, [&]() -> Result<Unit> {
        TRY_ASSIGN(const std::string key, in.key());
        TRY_ASSIGN(const Head item, in.head());
        TRY_ASSIGN(Json value, to_json_value(in, item, depth + 1));
        object[key] = std::move(value);
        return Unit{};
      }));
      return Json(std::move(object));
    }
    case kTag: {
      TRY_ASSIGN(const Head inner, in.head());
      return to_json_value(in, inner, depth + 1);
    }
    default:
      if (is_null(head)) return Json(nullptr);
      if (head.major == kSimple && (head.info == 20 || head.info == 21))
        return Json(head.info == 21);
      if (const auto whole = integer(head)) return Json(*whole);
      if (const auto floating = number(head)) return Json(*floating);
      return malformed("The CBOR holds an unknown simple value");
  }
}

}  // namespace

Result<Unit> read_cbor(const Reading& reading, const Shape& shape, std::string_view in, void* out,
                       const Path& path, Seen& seen) {
  Bytes bytes(in);
  TRY_ASSIGN(const Head head, bytes.head());
  TRY((Reader{reading, bytes}.structure(shape, head, out, path, seen)));
  if (!bytes.at_end()) return malformed("There are bytes after the CBOR");
  return Unit{};
}

void write_cbor(std::string& out, const Shape& shape, const void* value,
                std::span<const std::pair<std::string, std::string>> extra) {
  Writer{out}.structure(shape, value, extra);
}

std::string cbor_text(std::string_view in, std::string_view key) {
  Bytes bytes(in);
  const auto head = bytes.head();
  if (!head || head->major != kMap) return {};
  std::string found;
  (void)bytes.items(*head, [&]() -> Result<Unit> {
    TRY_ASSIGN(const std::string name, bytes.key());
    TRY_ASSIGN(const Head item, bytes.head());
    if (name != key || item.major != kText) return bytes.skip(item, 1);
    TRY_ASSIGN(found, bytes.string(item));
    return Unit{};
  });
  return found;
}

Result<Json> cbor_to_json(std::string_view in) {
  Bytes bytes(in);
  TRY_ASSIGN(const Head head, bytes.head());
  TRY_ASSIGN(Json value, to_json_value(bytes, head, 0));
  if (!bytes.at_end()) return malformed("There are bytes after the CBOR");
  return value;
}

}  // namespace pileus::aws::protocol
