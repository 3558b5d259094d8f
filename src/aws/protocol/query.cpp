#include "aws/protocol/query.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

// '.' sorts before every other byte, so that all below a name stand together.
int order(char c) { return c == '.' ? -1 : static_cast<unsigned char>(c); }
bool before(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return order(x) < order(y); });
}

std::string capitalised(std::string_view name) {
  std::string out(name);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z')
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

// How a protocol names members and lists.
struct Names {
  bool ec2;

  std::string member(const Member& m) const {
    if (ec2) return m.query_name ? m.query_name : capitalised(m.wire_name);
    if (m.flattened && m.shape->kind == Kind::kList && m.shape->element_name)
      return m.shape->element_name;
    return m.wire_name;
  }
  bool flat(const Member* m, const Shape& shape) const {
    return ec2 || (m && m->flattened) || shape.flattened;
  }
  static const char* element(const Shape& list) {
    return list.element_name ? list.element_name : "member";
  }
  static const char* value(const Shape& map) {
    return map.element_name ? map.element_name : "value";
  }
};

// The parameters at and below a name: a range of the sorted ones, and the length of the name.
struct Node {
  const std::pair<std::string, std::string>* first = nullptr;
  const std::pair<std::string, std::string>* last = nullptr;
  std::size_t prefix = 0;  // characters of the name; 0 at the root

  bool empty() const { return first == last; }
  // The value given under exactly this name.
  const std::string* text() const {
    return !empty() && first->first.size() == prefix ? &first->second : nullptr;
  }
  std::size_t start() const { return prefix ? prefix + 1 : 0; }
  static std::string_view tail(const std::string& name, std::size_t from) {
    return name.size() >= from ? std::string_view(name).substr(from) : std::string_view();
  }
  static bool below(std::string_view rest, std::string_view name) {
    return rest.starts_with(name) && (rest.size() == name.size() || rest[name.size()] == '.');
  }
  Node child(std::string_view name) const {
    const std::size_t from = start();
    const auto low =
        std::lower_bound(first, last, name, [from](const auto& p, std::string_view wanted) {
          return before(tail(p.first, from), wanted);
        });
    const auto high = std::partition_point(
        low, last, [&](const auto& p) { return below(tail(p.first, from), name); });
    return {low, high, from + name.size()};
  }
  // Calls visit(component, node) for each distinct next component.
  template <class Visit>
  Result<Unit> each(Visit visit) const {
    const std::size_t from = start();
    for (auto at = first; at != last;) {
      const auto rest = tail(at->first, from);
      const auto name = rest.substr(0, rest.find('.'));
      if (name.empty()) {
        ++at;
        continue;
      }
      const auto end = std::partition_point(
          at, last, [&](const auto& p) { return below(tail(p.first, from), name); });
      TRY(visit(name, Node{at, end, from + name.size()}));
      at = end;
    }
    return Unit{};
  }
};

struct Reader {
  const Reading& reading;
  Names names;
  int depth = 0;

  Result<Unit> structure(const Shape& shape, const Node& in, void* out, const Path& path) {
    Seen seen;
    int set = 0;
    for (const auto& member : shape.members) {
      const Node node = in.child(names.member(member));
      if (node.empty()) continue;
      TRY(value(*member.shape, &member, node, make_value(out, member), path.member(member.name)));
      seen.set(shape, member);
      ++set;
    }
    report_missing(reading, shape, seen, path);
    return check_union(reading, shape, set, 0);
  }

  Result<Unit> value(const Shape& shape, const Member* member, const Node& in, void* out,
                     const Path& path) {
    if (depth >= kMaxDepth) return malformed("The parameters are nested too deeply");
    ++depth;
    auto result = inner(shape, member, in, out, path);
    --depth;
    return result;
  }

  Result<Unit> inner(const Shape& shape, const Member* member, const Node& in, void* out,
                     const Path& path) {
    switch (shape.kind) {
      case Kind::kStructure:
        return structure(shape, in, out, path);
      case Kind::kList:
        return list(shape, names.flat(member, shape) ? in : in.child(Names::element(shape)), in,
                    out, path);
      case Kind::kMap:
        return map(shape, names.flat(member, shape) ? in : in.child("entry"), in, out, path);
      case Kind::kDocument:
        return malformed("Documents are not supported in form parameters");
      default: {
        const std::string* text = in.text();
        if (!text) return malformed(str("Unexpected parameters below ", path.text()));
        return read_scalar(reading, shape,
                           timestamp_format(shape, member, TimestampFormat::kIso8601), *text, out);
      }
    }
  }

  // The numbered children in the order of their numbers.
  Result<std::vector<std::pair<std::int64_t, Node>>> numbered(const Node& in, const Path& path) {
    std::vector<std::pair<std::int64_t, Node>> items;
    TRY(in.each([&](std::string_view name, Node node) -> Result<Unit> {
      const auto index = parse_int(name);
      if (!index || *index < 0)
        return malformed(str("Key '", name.substr(0, 100),
                             "' is not a number where one was expected, at '", path.text(), "'"));
      items.emplace_back(*index, node);
      return Unit{};
    }));
    std::sort(items.begin(), items.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return items;
  }

  Result<Unit> list(const Shape& shape, const Node& items, const Node& whole, void* out,
                    const Path& path) {
    if (whole.text() && items.empty()) return Unit{};  // "Name=": an empty list
    if (items.empty()) return malformed(str("Expected a list at '", path.text(), "'"));
    TRY_ASSIGN(const auto sorted, numbered(items, path));
    std::size_t index = 0;
    for (const auto& [number, node] : sorted) {
      (void)number;
      TRY(value(*shape.element, nullptr, node, new_element(shape, out), path.element(index++)));
    }
    return Unit{};
  }

  Result<Unit> map(const Shape& shape, const Node& items, const Node& whole, void* out,
                   const Path& path) {
    if (whole.text() && items.empty()) return Unit{};
    TRY_ASSIGN(const auto sorted, numbered(items, path));
    for (const auto& [number, node] : sorted) {
      const std::string* key = node.child(shape.key_name).text();
      const Node item = node.child(Names::value(shape));
      if (!key || item.empty())
        return malformed(
            str("Entry ", number, " of the map at '", path.text(), "' needs a key and a value"));
      TRY(value(*shape.element, nullptr, item, new_entry(shape, out, *key), path.entry(*key)));
    }
    return Unit{};
  }
};

struct Writer {
  std::string& out;
  Names names;

  void leaf(const std::string& name, std::string_view text) {
    out += '&';
    out += percent_encode(name);
    out += '=';
    out += percent_encode(text);
  }

  void structure(const Shape& shape, const std::string& prefix, const void* v) {
    for (const auto& member : shape.members)
      if (const void* item = value_of(v, member))
        value(*member.shape, &member,
              prefix.empty() ? names.member(member) : str(prefix, ".", names.member(member)), item);
  }

  void value(const Shape& shape, const Member* member, const std::string& name, const void* v) {
    switch (shape.kind) {
      case Kind::kStructure:
        structure(shape, name, v);
        break;
      case Kind::kList: {
        const std::size_t count = shape.list->size(v);
        if (count == 0 && !names.ec2) return leaf(name, "");
        const std::string base =
            names.flat(member, shape) ? name : str(name, ".", Names::element(shape));
        for (std::size_t i = 0; i < count; ++i)
          if (const void* item = list_element(shape, v, i))
            value(*shape.element, nullptr, str(base, ".", i + 1), item);
        break;
      }
      case Kind::kMap: {
        const std::string base = names.flat(member, shape) ? name : str(name, ".entry");
        std::size_t index = 0;
        for_each_entry(shape, v, [&](const std::string& key, const void* item) {
          const std::string entry = str(base, ".", ++index);
          leaf(str(entry, ".", shape.key_name), key);
          if (item) value(*shape.element, nullptr, str(entry, ".", Names::value(shape)), item);
        });
        break;
      }
      case Kind::kDocument:
        leaf(name, to_text(*static_cast<const Json*>(v)));
        break;
      default: {
        std::string text;
        append_scalar(text, shape, timestamp_format(shape, member, TimestampFormat::kIso8601), v);
        leaf(name, text);
      }
    }
  }
};

}  // namespace

Result<Unit> parse_form(std::string_view text, Parameters& out) {
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), Plus::kSpace);
    auto value = percent_decode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1),
                                Plus::kSpace);
    if (!name || !value) return malformed("A parameter is not valid percent-encoding");
    if (!is_utf8(*name) || !is_utf8(*value)) return malformed("A parameter is not valid UTF-8");
    if (out.size() == kMaxParameters)
      return malformed(str("More than ", kMaxParameters, " parameters"));
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return Unit{};
}

std::optional<std::string> form_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return percent_decode(pair.substr(name.size() + 1), Plus::kSpace);
  }
  return std::nullopt;
}

Result<Unit> read_query(const Reading& reading, const Shape& shape, Parameters& parameters,
                        void* out) {
  std::sort(parameters.begin(), parameters.end(), [](const auto& a, const auto& b) {
    return before(a.first, b.first) || (a.first == b.first && a.second < b.second);
  });
  const Node root{parameters.data(), parameters.data() + parameters.size(), 0};
  return Reader{reading, {reading.protocol == Protocol::kEc2}}.structure(shape, root, out, Path{});
}

void write_query(Protocol protocol, std::string& out, const Shape& shape, const void* value) {
  Writer{out, {protocol == Protocol::kEc2}}.structure(shape, "", value);
}

}  // namespace pileus::aws::protocol
