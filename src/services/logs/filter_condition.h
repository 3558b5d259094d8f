// What a filter pattern is made of once parsed. Internal to the filter pattern's files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/logs/filter_pattern.h"
#include "services/logs/filter_regex.h"

namespace pileus::services::logs::filter {

enum class Operator {
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIsNull,
  kIsTrue,
  kIsFalse,
  kNotExists,
};

// What a value is compared with. A text may hold `*`, which stands for any characters.
struct Operand {
  std::string text;
  std::optional<double> number;      // an unquoted number is compared as one, too
  std::optional<FilterRegex> regex;  // %...%

  bool equals(std::string_view value) const;
};

// One step of $.a[0]["b"].*
struct Step {
  enum class Kind { kMember, kIndex, kAny } kind = Kind::kMember;
  std::string member;
  std::size_t index = 0;
};

struct Condition {
  enum class Kind { kTest, kAll, kAny } kind = Kind::kTest;
  std::vector<Condition> parts;  // kAll, kAny
  std::vector<Step> selector;    // kTest in JSON patterns
  Operator op = Operator::kEqual;
  Operand operand;
};

struct Term {
  enum class Sign { kInclude, kExclude, kOptional } sign = Sign::kInclude;
  std::string text;
  std::optional<FilterRegex> regex;
};

struct Terms {
  std::vector<Term> terms;
};
struct JsonPattern {
  Condition condition;
};
struct Words {
  struct Field {
    bool ellipsis = false;
    std::optional<Condition> condition;
  };
  std::vector<Field> fields;  // at most one ellipsis
};

bool wildcard_matches(std::string_view pattern, std::string_view text);

}  // namespace pileus::services::logs::filter

namespace pileus::services::logs {

class FilterPattern::Body {
 public:
  std::variant<filter::Terms, filter::JsonPattern, filter::Words> form;
};

}  // namespace pileus::services::logs
