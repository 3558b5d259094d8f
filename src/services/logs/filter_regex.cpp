#include "services/logs/filter_regex.h"

#include "base/text.h"

namespace pileus::services::logs {

namespace {

using Bytes = std::bitset<256>;

Bytes range(int first, int last) {
  Bytes bytes;
  for (int c = first; c <= last; ++c) bytes.set(static_cast<std::size_t>(c));
  return bytes;
}
Bytes one(char c) { return Bytes().set(static_cast<unsigned char>(c)); }
Bytes digits() { return range('0', '9'); }
Bytes word() { return digits() | range('a', 'z') | range('A', 'Z') | one('_'); }
Bytes space() { return one(' ') | range('\t', '\r'); }

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_symbol(char c) { return std::string_view(":_#=@/;,- ").find(c) != std::string_view::npos; }
bool is_punctuation(char c) { return c > ' ' && c < '\x7f' && !is_alphanumeric(c); }

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

class RegexParser {
 public:
  explicit RegexParser(std::string_view text) : text_(text) {}

  Result<FilterRegex> parse() {
    FilterRegex regex;
    if (text_.empty()) return error("it is empty");
    do {
      TRY_ASSIGN(auto sequence, parse_sequence());
      regex.choices_.push_back(std::move(sequence));
    } while (eat('|'));
    return regex;
  }

 private:
  bool done() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  bool eat(char c) {
    if (done() || peek() != c) return false;
    ++at_;
    return true;
  }
  std::unexpected<Error> error(std::string_view why) const {
    return fail(std::string(errc::kInvalid), str("the regular expression %", text_, "%: ", why));
  }

  Result<FilterRegex::Sequence> parse_sequence() {
    FilterRegex::Sequence sequence;
    sequence.at_begin = eat('^');
    while (!done() && peek() != '|') {
      if (eat('$')) {
        if (!done() && peek() != '|') return error("$ has its meaning at the end only");
        sequence.at_end = true;
        break;
      }
      TRY_ASSIGN(const Bytes bytes, parse_bytes());
      TRY(parse_quantifier(bytes, sequence.items));
    }
    return sequence;
  }

  Result<Bytes> parse_bytes() {
    const char c = text_[at_++];
    if (c == '.') return ~Bytes() & ~one('\n');
    if (c == '[') return parse_class();
    if (c == '\\') return parse_escape();
    if (c == '(' || c == ')') return error("parentheses are not supported");
    if (!is_alphanumeric(c) && !is_symbol(c)) return error(str("'", c, "' is not supported here"));
    return one(c);
  }

  Result<Bytes> parse_escape() {
    if (done()) return error("it ends with a backslash");
    const char c = text_[at_++];
    switch (c) {
      case 'd':
        return digits();
      case 'D':
        return ~digits();
      case 'w':
        return word();
      case 'W':
        return ~word();
      case 's':
        return space();
      case 'S':
        return ~space();
      case 'n':
        return one('\n');
      case 't':
        return one('\t');
      case 'r':
        return one('\r');
      case 'x':
        return parse_hex();
      default:
        break;
    }
    if (!is_punctuation(c)) return error(str("\\", c, " is not supported"));
    return one(c);
  }

  Result<Bytes> parse_hex() {
    if (text_.size() - at_ < 2) return error("\\x needs two hexadecimal digits");
    const auto high = hex_digit(text_[at_]), low = hex_digit(text_[at_ + 1]);
    if (!high || !low) return error("\\x needs two hexadecimal digits");
    at_ += 2;
    return one(static_cast<char>(*high * 16 + *low));
  }

  Result<Bytes> parse_class() {
    const bool negated = eat('^');
    Bytes bytes;
    for (bool first = true;; first = false) {
      if (done()) return error("[ is not closed");
      const char c = text_[at_++];
      if (c == ']' && !first) break;
      Bytes member = one(c);
      if (c == '\\') {
        TRY_ASSIGN(member, parse_escape());
      }
      const bool is_range = at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']';
      if (is_range && member.count() == 1) {
        TRY_ASSIGN(member, parse_range(member));
      }
      bytes |= member;
    }
    return negated ? ~bytes : bytes;
  }

  Result<Bytes> parse_range(const Bytes& first) {
    ++at_;  // '-'
    const char c = text_[at_++];
    Bytes last = one(c);
    if (c == '\\') {
      TRY_ASSIGN(last, parse_escape());
    }
    const std::size_t from = first._Find_first(), to = last._Find_first();
    if (last.count() != 1 || from > to) return error("a range in [] is out of order");
    return range(static_cast<int>(from), static_cast<int>(to));
  }

  Result<Unit> parse_quantifier(const Bytes& bytes, std::vector<FilterRegex::Item>& items) {
    std::size_t least = 1, most = 1;
    bool endless = false;
    if (eat('*'))
      least = 0, endless = true;
    else if (eat('+'))
      endless = true;
    else if (eat('?'))
      least = 0;
    else if (eat('{'))
      TRY(parse_counts(least, most, endless));
    if (!done() && std::string_view("*+?{").find(peek()) != std::string_view::npos)
      return error("a quantifier follows a quantifier");
    if (endless && least == 0) items.push_back({bytes, true, true});
    for (std::size_t i = 0; i < least; ++i)
      items.push_back({bytes, false, endless && i + 1 == least});
    for (std::size_t i = least; !endless && i < most; ++i) items.push_back({bytes, true, false});
    total_ += least + (endless ? 1 : most - least);
    if (total_ > FilterRegex::kMaxItems) return error("it is too long");
    return Unit{};
  }

  Result<Unit> parse_counts(std::size_t& least, std::size_t& most, bool& endless) {
    const std::size_t close = text_.find('}', at_);
    if (close == std::string_view::npos) return error("{ is not closed");
    const auto counts = split(text_.substr(at_, close - at_), ',');
    at_ = close + 1;
    const auto first = parse_int(counts[0]);
    if (counts.size() > 2 || !first) return error("{} holds one or two numbers");
    least = most = static_cast<std::size_t>(*first);
    if (counts.size() == 2) {
      endless = counts[1].empty();
      const auto second = endless ? first : parse_int(counts[1]);
      if (!second || *second < *first) return error("the numbers in {} are out of order");
      most = static_cast<std::size_t>(*second);
    }
    if (*first < 0 || most > FilterRegex::kMaxItems) return error("a number in {} is too large");
    return Unit{};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t total_ = 0;
};

Result<FilterRegex> FilterRegex::compile(std::string_view text) {
  return RegexParser(text).parse();
}

bool FilterRegex::search(std::string_view text) const {
  for (const auto& choice : choices_)
    if (choice.search(text)) return true;
  return false;
}

// State i: the items before i have matched and i is next. Items that may be left out pass their
// state on at once.
bool FilterRegex::Sequence::search(std::string_view text) const {
  std::bitset<kMaxItems + 1> now, next;
  const std::size_t goal = items.size();
  const auto add = [&](std::bitset<kMaxItems + 1>& states, std::size_t state) {
    for (; !states.test(state); ++state) {
      states.set(state);
      if (state == goal || !items[state].optional) break;
    }
  };
  add(now, 0);
  for (std::size_t at = 0;; ++at) {
    if (now.test(goal) && (!at_end || at == text.size())) return true;
    if (at == text.size() || (at_begin && now.none())) return false;
    const auto byte = static_cast<unsigned char>(text[at]);
    next.reset();
    for (std::size_t state = now._Find_first(); state < goal; state = now._Find_next(state)) {
      if (!items[state].bytes.test(byte)) continue;
      if (items[state].repeated) add(next, state);
      add(next, state + 1);
    }
    if (!at_begin) add(next, 0);
    now = next;
  }
}

}  // namespace pileus::services::logs
