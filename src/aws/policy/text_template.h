// Text of a policy with its policy variables: ${aws:username}, ${key, 'default'}, ${*}, ${?}, ${$}.
// Compiled once; without variables it costs nothing at evaluation. Immutable; any thread.
// Source: IAM User Guide, "IAM policy elements: Variables and tags".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/arn.h"
#include "aws/policy/keys.h"

namespace pileus::aws::policy {

class Request;

class TextTemplate {
 public:
  // `variables`: whether the policy's version knows them. nullopt: "${" that is never closed.
  static std::optional<TextTemplate> parse(std::string_view text, bool variables);

  bool is_constant() const { return constant_; }
  // With the request's values: as text, or as a pattern whose wildcards are only those written in
  // the policy. nullopt where a variable has no value and no default: then nothing matches.
  std::optional<std::string> text(const Request& request) const;
  std::optional<Pattern> pattern(const Request& request, Pattern::Form form) const;
  // The keys of its variables that have no default.
  void add_keys(std::vector<std::string>& out) const;
  // Of constant ones.
  std::string constant_text() const;
  Pattern constant_pattern(Pattern::Form form) const;

 private:
  struct Piece {
    enum class Kind { kText, kLiteral, kVariable } kind;
    std::string text;  // kText may hold wildcards, kLiteral is ${*} and the like
    Key key;           // kVariable
    std::optional<std::string> default_value;
  };
  std::optional<std::string> value(const Piece& piece, const Request& request) const;
  std::vector<Piece> pieces_;
  bool constant_ = true;
};

}  // namespace pileus::aws::policy
