// Where the statements of a policy document stand in its text. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pileus::aws::policy {

// Line and column count from 1.
struct TextPosition {
  std::int32_t line = 1, column = 1;
};
// As the policy simulator tells them: from where the parser stood before it took up the statement
// (behind the bracket of the list, behind the statement before it; for a single statement behind
// its own brace) to behind its last brace. Source: the examples of the IAM API.
struct StatementSpan {
  TextPosition start, end;
  std::size_t begin = 0, past = 0;  // bytes of the statement's own text
};
// One for each statement, in order, of a document that parse_policy() takes.
std::vector<StatementSpan> statement_spans(std::string_view document);

}  // namespace pileus::aws::policy
