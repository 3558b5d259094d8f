#include "base/json.h"
#include "base/text.h"
#include "services/logs/filter_condition.h"

namespace pileus::services::logs {

namespace filter {

bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0, star = std::string_view::npos, resume = 0, p = 0;
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = at;
    } else if (p < pattern.size() && pattern[p] == text[at]) {
      ++p;
      ++at;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Operand::equals(std::string_view value) const {
  if (regex) return regex->search(value);
  return wildcard_matches(text, value);
}

namespace {

bool compare_numbers(Operator op, double value, double with) {
  switch (op) {
    case Operator::kEqual:
      return value == with;
    case Operator::kUnequal:
      return value != with;
    case Operator::kLess:
      return value < with;
    case Operator::kLessEqual:
      return value <= with;
    case Operator::kGreater:
      return value > with;
    case Operator::kGreaterEqual:
      return value >= with;
    default:
      return false;
  }
}

template <class Test>
bool holds(const Condition& condition, const Test& test) {
  switch (condition.kind) {
    case Condition::Kind::kTest:
      return test(condition);
    case Condition::Kind::kAll:
      for (const auto& part : condition.parts)
        if (!holds(part, test)) return false;
      return true;
    case Condition::Kind::kAny:
      for (const auto& part : condition.parts)
        if (holds(part, test)) return true;
      return false;
  }
  return false;
}

// --- terms
bool contains(const Term& term, std::string_view message) {
  return term.regex ? term.regex->search(message)
                    : message.find(term.text) != std::string_view::npos;
}

// Optional terms count only where there are no others; AWS ignores them beside the rest.
bool matches(const Terms& pattern, std::string_view message) {
  bool optional = false, found = false, other = false;
  for (const auto& term : pattern.terms) {
    if (term.sign == Term::Sign::kOptional) {
      optional = true;
      found = found || contains(term, message);
    } else {
      other = true;
      if (contains(term, message) != (term.sign == Term::Sign::kInclude)) return false;
    }
  }
  return other || !optional || found;
}

// --- JSON
std::optional<double> number_of(const Json& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_double()) return value.get_double();
  return std::nullopt;
}

bool equals(const Operand& operand, const Json& value) {
  const auto number = number_of(value);
  if (operand.number && number) return *operand.number == *number;
  if (value.is_string()) {
    const auto& text = value.get_string();
    return operand.equals({text.data(), text.size()});
  }
  if (value.is_object() || value.is_array()) return !operand.regex && operand.text == "*";
  return operand.equals(to_text(value));
}

bool test_value(const Condition& test, const Json& value) {
  switch (test.op) {
    case Operator::kIsNull:
      return value.is_null();
    case Operator::kIsTrue:
      return value.is_bool() && value.get_bool();
    case Operator::kIsFalse:
      return value.is_bool() && !value.get_bool();
    case Operator::kEqual:
      return !value.is_null() && equals(test.operand, value);
    case Operator::kUnequal:
      return !value.is_null() && !equals(test.operand, value);
    case Operator::kNotExists:
      return false;
    default:
      break;
  }
  const auto number = number_of(value);
  return number && compare_numbers(test.op, *number, *test.operand.number);
}

// Whether any value that the selector names passes; `exists` is set once there is one.
bool any_selected(const Condition& test, const Json& value, std::size_t step, bool& exists) {
  if (step == test.selector.size()) {
    exists = true;
    return test_value(test, value);
  }
  const Step& next = test.selector[step];
  if (next.kind == Step::Kind::kMember) {
    const Json* member = value.is_object() ? find(value, next.member) : nullptr;
    return member && any_selected(test, *member, step + 1, exists);
  }
  if (next.kind == Step::Kind::kIndex) {
    if (!value.is_array() || next.index >= value.get_array().size()) return false;
    return any_selected(test, value.get_array()[next.index], step + 1, exists);
  }
  bool found = false;
  if (value.is_array())
    for (const auto& item : value.get_array())
      found = found || any_selected(test, item, step + 1, exists);
  if (value.is_object())
    for (const auto& member : value.get_object())
      found = found || any_selected(test, member.value(), step + 1, exists);
  return found;
}

bool matches(const JsonPattern& pattern, std::string_view message) {
  const auto text = trim(message);
  if (text.empty() || (text.front() != '{' && text.front() != '[')) return false;
  const auto event = parse_json(text);
  if (!event) return false;
  return holds(pattern.condition, [&](const Condition& test) {
    bool exists = false;
    const bool passed = any_selected(test, *event, 0, exists);
    return test.op == Operator::kNotExists ? !exists : passed;
  });
}

// --- words
// Words are separated by white space; what is in [] or "" is one word.
std::vector<std::string_view> words_of(std::string_view message) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (true) {
    at = message.find_first_not_of(" \t\r\n", at);
    if (at == std::string_view::npos) return words;
    const char close = message[at] == '[' ? ']' : message[at] == '"' ? '"' : '\0';
    const std::size_t end = close ? message.find(close, at + 1) : std::string_view::npos;
    if (end != std::string_view::npos) {
      words.push_back(message.substr(at + 1, end - at - 1));
      at = end + 1;
    } else {
      const std::size_t space = std::min(message.find_first_of(" \t\r\n", at), message.size());
      words.push_back(message.substr(at, space - at));
      at = space;
    }
  }
}

bool test_word(const Condition& test, std::string_view word) {
  if (test.operand.number) {
    if (const auto number = parse_double(word))
      return compare_numbers(test.op, *number, *test.operand.number);
  }
  if (test.op == Operator::kEqual) return test.operand.equals(word);
  if (test.op == Operator::kUnequal) return !test.operand.equals(word);
  return false;
}

bool matches(const Words& pattern, std::string_view message) {
  const auto words = words_of(message);
  const auto& fields = pattern.fields;
  const auto gap =
      std::find_if(fields.begin(), fields.end(), [](const auto& field) { return field.ellipsis; });
  const bool open = gap != fields.end();
  if (open ? words.size() + 1 < fields.size() : words.size() != fields.size()) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].condition) continue;
    const bool after = open && fields.begin() + static_cast<std::ptrdiff_t>(i) > gap;
    const auto word = words[after ? words.size() - (fields.size() - i) : i];
    if (!holds(*fields[i].condition, [&](const Condition& test) { return test_word(test, word); }))
      return false;
  }
  return true;
}

}  // namespace

}  // namespace filter

bool FilterPattern::matches(std::string_view message) const {
  if (!body_) return true;
  return std::visit([&](const auto& form) { return filter::matches(form, message); }, body_->form);
}

}  // namespace pileus::services::logs
