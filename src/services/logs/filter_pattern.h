// FilterPattern: the filter pattern language of CloudWatch Logs, as a pure parser and matcher.
//   ERROR -"out of memory" ?a ?b        terms: all of them, none of -, any of ?
//   %4\d\d|5\d\d%                       a regular expression
//   { $.a.b = "x*" && $.c[*] > 3 }      JSON events
//   [ip, user, ..., status = 4*, size]  events of words
// Immutable and cheap to copy; any thread. Matching never fails: a message that is not of the
// pattern's form does not match.
//
// Source: CloudWatch Logs User Guide, "Filter pattern syntax".
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"

namespace pileus::services::logs {

class FilterPattern {
 public:
  static constexpr std::size_t kMaxBytes = 4096;  // the model's 1,024 characters
  static constexpr int kMaxDepth = 64;            // of parentheses
  static constexpr int kMaxRegexes = 2;           // in JSON and word patterns

  // errc::kInvalid says where and why.
  static Result<FilterPattern> parse(std::string_view text);
  bool matches(std::string_view message) const;
  bool matches_everything() const { return !body_; }

  class Body;

 private:
  std::shared_ptr<const Body> body_;  // shared by copies; nullptr matches everything
};

}  // namespace pileus::services::logs
