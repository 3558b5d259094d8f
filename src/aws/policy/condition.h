// One condition of a statement, compiled: operator, key, values. Immutable; any thread.
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context
// keys".
#pragma once

#include <array>
#include <variant>

#include "aws/policy/text_template.h"
#include "base/text.h"

namespace pileus::aws::policy {

// An address range: IPv4 is held as ::ffff:a.b.c.d.
struct AddressRange {
  std::array<unsigned char, 16> address{};
  unsigned prefix_bits = 128;
  bool contains(const AddressRange& other) const;                   // other is one address
  static std::optional<AddressRange> parse(std::string_view text);  // with or without /bits
};

class Condition {
 public:
  // nullopt where there is no such operator. "ForAnyValue:StringLikeIfExists" and the like.
  static std::optional<Condition> with_operator(std::string_view name);
  void set_key(std::string_view key) { key_ = Key(key); }
  // False where the value cannot be one of this operator (not a number, a date, a range …).
  bool add_value(std::string_view value, bool variables);

  bool holds(const Request& request) const;
  // The key it asks for, and those of its values' variables.
  void add_keys(std::vector<std::string>& out) const;

 private:
  enum class Family : std::uint8_t {
    kString,
    kStringIgnoreCase,
    kStringLike,
    kNumeric,
    kDate,
    kBool,
    kBinary,
    kIp,
    kArn,
    kNull
  };
  enum class Order : std::uint8_t { kEquals, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  enum class Quantifier : std::uint8_t { kOne, kAll, kAny };
  using Value = std::variant<std::string, double, Time, AddressRange, Pattern, TextTemplate>;

  bool matches_any(std::string_view actual, const Request& request) const;
  bool matches(const Value& wanted, std::string_view actual, const Request& request) const;
  bool matches_text(const std::string& wanted, std::string_view actual) const;
  bool matches_template(const TextTemplate& wanted, std::string_view actual,
                        const Request& request) const;
  template <class T>
  bool compares(const T& actual, const T& wanted) const;
  Pattern::Form form() const {
    return family_ == Family::kArn ? Pattern::Form::kConditionArn : Pattern::Form::kPlain;
  }

  Family family_ = Family::kString;
  Order order_ = Order::kEquals;
  Quantifier quantifier_ = Quantifier::kOne;
  bool negated_ = false;
  bool if_exists_ = false;
  Key key_;
  std::vector<Value> values_;
};

}  // namespace pileus::aws::policy
