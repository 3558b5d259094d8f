#include "aws/policy/condition.h"

#include <arpa/inet.h>

#include <algorithm>

namespace pileus::aws::policy {

bool AddressRange::contains(const AddressRange& other) const {
  unsigned left = prefix_bits;
  for (std::size_t i = 0; i < address.size() && left > 0; ++i) {
    const unsigned bits = std::min(left, 8u);
    if ((address[i] ^ other.address[i]) >> (8 - bits)) return false;
    left -= bits;
  }
  return true;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  AddressRange out;
  const auto slash = text.find('/');
  const std::string host(text.substr(0, slash));
  in_addr v4;
  const bool is_v4 = inet_pton(AF_INET, host.c_str(), &v4) == 1;
  if (is_v4) {
    out.address[10] = out.address[11] = 0xff;
    std::copy_n(reinterpret_cast<const unsigned char*>(&v4), 4, out.address.begin() + 12);
  } else if (inet_pton(AF_INET6, host.c_str(), out.address.data()) != 1) {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) return out;
  const auto bits = parse_int(text.substr(slash + 1));
  if (!bits || *bits < 0 || *bits > (is_v4 ? 32 : 128)) return std::nullopt;
  out.prefix_bits = static_cast<unsigned>(*bits) + (is_v4 ? 96 : 0);
  return out;
}

namespace {

// The forms of W3C's date profile, and seconds since 1970.
std::optional<Time> parse_date(std::string_view text) {
  if (const auto seconds = parse_int(text); seconds && text.size() != 4) {
    constexpr std::int64_t kFar = 253402300800;  // year 10000
    if (*seconds < -kFar || *seconds > kFar) return std::nullopt;
    return Time(std::chrono::seconds(*seconds));
  }
  if (text.size() == 4) return parse_iso8601(str(text, "-01-01"));
  if (text.size() == 7) return parse_iso8601(str(text, "-01"));
  if (auto time = parse_iso8601(text)) return time;
  // "2020-04-01T00:00Z"
  if (text.size() == 17 && text.back() == 'Z')
    return parse_iso8601(str(text.substr(0, 16), ":00Z"));
  return std::nullopt;
}

std::optional<double> parse_number(std::string_view text) {
  const auto value = parse_double(text);
  if (!value || *value != *value) return std::nullopt;
  return value;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.size() < prefix.size() || !iequals(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}
bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (text.size() < suffix.size() || !iequals(text.substr(text.size() - suffix.size()), suffix))
    return false;
  text.remove_suffix(suffix.size());
  return true;
}

}  // namespace

std::optional<Condition> Condition::with_operator(std::string_view name) {
  struct Entry {
    std::string_view name;
    Family family;
    Order order;
    bool negated;
  };
  static constexpr Entry kEntries[] = {
      {"StringEquals", Family::kString, Order::kEquals, false},
      {"StringNotEquals", Family::kString, Order::kEquals, true},
      {"StringEqualsIgnoreCase", Family::kStringIgnoreCase, Order::kEquals, false},
      {"StringNotEqualsIgnoreCase", Family::kStringIgnoreCase, Order::kEquals, true},
      {"StringLike", Family::kStringLike, Order::kEquals, false},
      {"StringNotLike", Family::kStringLike, Order::kEquals, true},
      {"NumericEquals", Family::kNumeric, Order::kEquals, false},
      {"NumericNotEquals", Family::kNumeric, Order::kEquals, true},
      {"NumericLessThan", Family::kNumeric, Order::kLess, false},
      {"NumericLessThanEquals", Family::kNumeric, Order::kLessOrEqual, false},
      {"NumericGreaterThan", Family::kNumeric, Order::kGreater, false},
      {"NumericGreaterThanEquals", Family::kNumeric, Order::kGreaterOrEqual, false},
      {"DateEquals", Family::kDate, Order::kEquals, false},
      {"DateNotEquals", Family::kDate, Order::kEquals, true},
      {"DateLessThan", Family::kDate, Order::kLess, false},
      {"DateLessThanEquals", Family::kDate, Order::kLessOrEqual, false},
      {"DateGreaterThan", Family::kDate, Order::kGreater, false},
      {"DateGreaterThanEquals", Family::kDate, Order::kGreaterOrEqual, false},
      {"Bool", Family::kBool, Order::kEquals, false},
      {"BinaryEquals", Family::kBinary, Order::kEquals, false},
      {"IpAddress", Family::kIp, Order::kEquals, false},
      {"NotIpAddress", Family::kIp, Order::kEquals, true},
      {"ArnEquals", Family::kArn, Order::kEquals, false},
      {"ArnLike", Family::kArn, Order::kEquals, false},
      {"ArnNotEquals", Family::kArn, Order::kEquals, true},
      {"ArnNotLike", Family::kArn, Order::kEquals, true},
      {"Null", Family::kNull, Order::kEquals, false},
  };
  Condition out;
  if (take_prefix(name, "ForAllValues:"))
    out.quantifier_ = Quantifier::kAll;
  else if (take_prefix(name, "ForAnyValue:"))
    out.quantifier_ = Quantifier::kAny;
  out.if_exists_ = take_suffix(name, "IfExists");
  for (const auto& entry : kEntries) {
    if (!iequals(entry.name, name)) continue;
    if (entry.family == Family::kNull && out.if_exists_) return std::nullopt;
    out.family_ = entry.family;
    out.order_ = entry.order;
    out.negated_ = entry.negated;
    return out;
  }
  return std::nullopt;
}

bool Condition::add_value(std::string_view value, bool variables) {
  const auto keep = [this](auto parsed) {
    if (!parsed) return false;
    values_.emplace_back(*std::move(parsed));
    return true;
  };
  switch (family_) {
    case Family::kNumeric:
      return keep(parse_number(value));
    case Family::kDate:
      return keep(parse_date(value));
    case Family::kIp:
      return keep(AddressRange::parse(value));
    case Family::kBinary:
      return keep(from_base64(value));
    case Family::kNull:
      if (!iequals(value, "true") && !iequals(value, "false")) return false;
      values_.emplace_back(to_lower(value));
      return true;
    default:
      break;
  }
  auto parsed = TextTemplate::parse(value, variables);
  if (!parsed) return false;
  if (!parsed->is_constant())
    values_.emplace_back(*std::move(parsed));
  else if (family_ == Family::kStringLike || family_ == Family::kArn)
    values_.emplace_back(parsed->constant_pattern(form()));
  else
    values_.emplace_back(parsed->constant_text());
  return true;
}

void Condition::add_keys(std::vector<std::string>& out) const {
  out.push_back(key_.name());
  for (const auto& value : values_)
    if (const auto* text = std::get_if<TextTemplate>(&value)) text->add_keys(out);
}

bool Condition::holds(const Request& request) const {
  KeyValues found;
  key_.look_up(request, found);
  const bool absent = found.values.empty();
  if (family_ == Family::kNull)
    return std::any_of(values_.begin(), values_.end(), [&](const Value& value) {
      return (std::get<std::string>(value) == "true") == absent;
    });
  // An absent key: ForAnyValue never holds, ForAllValues always, the negated operators do.
  if (absent)
    return quantifier_ != Quantifier::kAny &&
           (if_exists_ || negated_ || quantifier_ == Quantifier::kAll);
  const auto holds_for = [&](std::string_view actual) {
    return matches_any(actual, request) != negated_;
  };
  const auto first = found.values.begin(), last = found.values.end();
  switch (quantifier_) {
    case Quantifier::kAll:
      return std::all_of(first, last, holds_for);
    case Quantifier::kAny:
      return std::any_of(first, last, holds_for);
    // Meant for keys of one value; of several, a match of any counts and a negated one wants none.
    case Quantifier::kOne:
      return negated_ ? std::all_of(first, last, holds_for) : std::any_of(first, last, holds_for);
  }
  return false;
}

bool Condition::matches_any(std::string_view actual, const Request& request) const {
  return std::any_of(values_.begin(), values_.end(),
                     [&](const Value& wanted) { return matches(wanted, actual, request); });
}

template <class T>
bool Condition::compares(const T& actual, const T& wanted) const {
  switch (order_) {
    case Order::kEquals:
      return actual == wanted;
    case Order::kLess:
      return actual < wanted;
    case Order::kLessOrEqual:
      return actual <= wanted;
    case Order::kGreater:
      return actual > wanted;
    case Order::kGreaterOrEqual:
      return actual >= wanted;
  }
  return false;
}

bool Condition::matches(const Value& wanted, std::string_view actual,
                        const Request& request) const {
  if (const auto* text = std::get_if<std::string>(&wanted)) return matches_text(*text, actual);
  if (const auto* pattern = std::get_if<Pattern>(&wanted)) return pattern->matches(actual);
  if (const auto* number = std::get_if<double>(&wanted)) {
    const auto value = parse_number(actual);
    return value && compares(*value, *number);
  }
  if (const auto* time = std::get_if<Time>(&wanted)) {
    const auto value = parse_date(actual);
    return value && compares(*value, *time);
  }
  if (const auto* range = std::get_if<AddressRange>(&wanted)) {
    const auto value = AddressRange::parse(actual);
    return value && actual.find('/') == std::string_view::npos && range->contains(*value);
  }
  return matches_template(std::get<TextTemplate>(wanted), actual, request);
}

bool Condition::matches_text(const std::string& wanted, std::string_view actual) const {
  return family_ == Family::kStringIgnoreCase || family_ == Family::kBool ? iequals(wanted, actual)
                                                                          : wanted == actual;
}

bool Condition::matches_template(const TextTemplate& wanted, std::string_view actual,
                                 const Request& request) const {
  if (family_ == Family::kStringLike || family_ == Family::kArn) {
    const auto pattern = wanted.pattern(request, form());
    return pattern && pattern->matches(actual);
  }
  const auto text = wanted.text(request);
  return text && matches_text(*text, actual);
}

}  // namespace pileus::aws::policy
