#include "base/completion.h"
#include "base/text.h"
#include "services/logs/filter_condition.h"

namespace pileus::services::logs {

namespace {

using namespace filter;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_name(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Over the text between the braces or brackets, or over a whole pattern of terms.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Terms> parse_terms() {
    Terms terms;
    for (skip_space(); !done(); skip_space()) {
      TRY_ASSIGN(auto term, parse_term());
      terms.terms.push_back(std::move(term));
    }
    return terms;
  }

  Result<JsonPattern> parse_json() {
    in_json_ = true;
    JsonPattern pattern;
    TRY_ASSIGN(pattern.condition, parse_any(0));
    skip_space();
    if (!done()) return error("something follows the condition");
    return pattern;
  }

  Result<Words> parse_words() {
    Words words;
    bool ellipsis = false;
    do {
      skip_space();
      Words::Field field;
      if (eat("...")) {
        if (std::exchange(ellipsis, true)) return error("... may stand once");
        field.ellipsis = true;
      } else {
        TRY_ASSIGN(field, parse_field());
      }
      words.fields.push_back(std::move(field));
      skip_space();
    } while (eat(","));
    if (!done()) return error("a comma is missing between two fields");
    return words;
  }

 private:
  bool done() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  std::string_view rest() const { return text_.substr(at_); }
  void skip_space() {
    while (!done() && is_space(peek())) ++at_;
  }
  bool eat(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  std::unexpected<Error> error(std::string_view why) const {
    return fail(std::string(errc::kInvalid), str(why, ", at character ", at_ + 1));
  }

  // --- terms
  Result<Term> parse_term() {
    Term term;
    if (eat("?"))
      term.sign = Term::Sign::kOptional;
    else if (eat("-"))
      term.sign = Term::Sign::kExclude;
    if (done() || is_space(peek())) return error("a term is missing after its sign");
    if (peek() == '"') {
      TRY_ASSIGN(term.text, parse_quoted('"'));
    } else if (peek() == '%') {
      TRY_ASSIGN(term.regex, parse_regex());
    } else {
      TRY_ASSIGN(term.text, parse_bare_term());
    }
    return term;
  }

  Result<std::string> parse_bare_term() {
    const std::size_t begin = at_;
    while (!done() && !is_space(peek())) ++at_;
    const auto term = text_.substr(begin, at_ - begin);
    for (const char c : term)
      if (!is_name(c))
        return fail(std::string(errc::kInvalid),
                    str("Invalid character(s) in term '", term, "'; put it in double quotes"));
    return std::string(term);
  }

  // --- literals
  Result<std::string> parse_quoted(char quote) {
    std::string out;
    for (++at_; !done(); ++at_) {
      char c = peek();
      if (c == quote) {
        ++at_;
        return out;
      }
      if (c == '\\' && at_ + 1 < text_.size()) {
        const char escaped = text_[at_ + 1];
        if (escaped == quote || escaped == '\\') c = text_[++at_];
      }
      out += c;
    }
    return error("a quoted text is not closed");
  }

  Result<FilterRegex> parse_regex() {
    const std::size_t begin = ++at_;
    while (!done() && peek() != '%') at_ += peek() == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    if (done()) return error("a regular expression is not closed by %");
    const auto regex = text_.substr(begin, at_ - begin);
    ++at_;
    if (++regexes_ > FilterPattern::kMaxRegexes && (in_json_ || in_words_))
      return error("a pattern may hold two regular expressions");
    return FilterRegex::compile(regex);
  }

  Result<Operand> parse_operand() {
    Operand operand;
    skip_space();
    if (done()) return error("a value is missing");
    if (peek() == '"') {
      TRY_ASSIGN(operand.text, parse_quoted('"'));
      return operand;
    }
    if (peek() == '%') {
      TRY_ASSIGN(operand.regex, parse_regex());
      return operand;
    }
    const std::size_t begin = at_;
    while (!done() && !is_space(peek()) && peek() != ')' && peek() != ',' &&
           !rest().starts_with("&&") && !rest().starts_with("||"))
      ++at_;
    operand.text = text_.substr(begin, at_ - begin);
    if (operand.text.empty()) return error("a value is missing");
    operand.number = parse_number(operand.text);
    return operand;
  }

  static std::optional<double> parse_number(std::string_view text) {
    const char first =
        text[0] == '-' || text[0] == '+' ? (text.size() > 1 ? text[1] : ' ') : text[0];
    if ((first < '0' || first > '9') && first != '.') return std::nullopt;
    return parse_double(text[0] == '+' ? text.substr(1) : text);
  }

  // --- conditions: all binds stronger than any
  Result<Condition> parse_any(int depth) { return parse_list(Condition::Kind::kAny, "||", depth); }

  Result<Condition> parse_list(Condition::Kind kind, std::string_view separator, int depth) {
    Condition list;
    list.kind = kind;
    do {
      if (kind == Condition::Kind::kAny) {
        TRY_ASSIGN(auto part, parse_list(Condition::Kind::kAll, "&&", depth));
        list.parts.push_back(std::move(part));
      } else {
        TRY_ASSIGN(auto part, parse_part(depth));
        list.parts.push_back(std::move(part));
      }
      skip_space();
    } while (eat(separator));
    if (list.parts.size() == 1) return Condition(std::move(list.parts[0]));
    return list;
  }

  Result<Condition> parse_part(int depth) {
    skip_space();
    if (eat("(")) {
      if (depth == FilterPattern::kMaxDepth) return error("too many parentheses");
      TRY_ASSIGN(auto inner, parse_any(depth + 1));
      skip_space();
      if (!eat(")")) return error("a parenthesis is not closed");
      return inner;
    }
    return in_json_ ? parse_json_test() : parse_word_test();
  }

  Result<Condition> parse_json_test() {
    Condition test;
    TRY_ASSIGN(test.selector, parse_selector());
    skip_space();
    if (eat_word("IS")) {
      skip_space();
      if (eat_word("NULL"))
        test.op = Operator::kIsNull;
      else if (eat_word("TRUE"))
        test.op = Operator::kIsTrue;
      else if (eat_word("FALSE"))
        test.op = Operator::kIsFalse;
      else
        return error("IS is followed by NULL, TRUE or FALSE");
      return test;
    }
    if (eat_word("NOT")) {
      skip_space();
      if (!eat_word("EXISTS")) return error("NOT is followed by EXISTS");
      test.op = Operator::kNotExists;
      return test;
    }
    TRY(parse_comparison(test));
    return test;
  }

  Result<Unit> parse_comparison(Condition& test) {
    if (eat("!="))
      test.op = Operator::kUnequal;
    else if (eat("<="))
      test.op = Operator::kLessEqual;
    else if (eat(">="))
      test.op = Operator::kGreaterEqual;
    else if (eat("="))
      test.op = Operator::kEqual;
    else if (eat("<"))
      test.op = Operator::kLess;
    else if (eat(">"))
      test.op = Operator::kGreater;
    else
      return error("an operator is missing");
    TRY_ASSIGN(test.operand, parse_operand());
    const bool ordered = test.op != Operator::kEqual && test.op != Operator::kUnequal;
    if (ordered && !test.operand.number) return error("only numbers are greater or less");
    return Unit{};
  }

  bool eat_word(std::string_view word) {
    if (!iequals(rest().substr(0, word.size()), word)) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && is_name(text_[end])) return false;
    at_ = end;
    return true;
  }

  // --- $.a.b[0]["c d"].*
  Result<std::vector<Step>> parse_selector() {
    if (!eat("$")) return error("a property begins with $");
    std::vector<Step> steps;
    while (!done()) {
      const bool dot = eat(".");
      if (done()) return error("a property's name is missing");
      if (peek() == '[') {
        TRY_ASSIGN(auto step, parse_bracket());
        steps.push_back(std::move(step));
      } else if (dot) {
        TRY_ASSIGN(auto step, parse_member());
        steps.push_back(std::move(step));
      } else {
        break;
      }
    }
    if (steps.empty()) return error("$ is followed by a property");
    return steps;
  }

  Result<Step> parse_member() {
    if (eat("*")) return Step{Step::Kind::kAny, "", 0};
    const std::size_t begin = at_;
    while (!done() && !is_space(peek()) &&
           std::string_view(".[]=!<>&|(){},\"'").find(peek()) == std::string_view::npos)
      ++at_;
    if (at_ == begin) return error("a property's name is missing");
    return Step{Step::Kind::kMember, std::string(text_.substr(begin, at_ - begin)), 0};
  }

  Result<Step> parse_bracket() {
    ++at_;
    skip_space();
    Step step;
    if (done()) return error("[ is not closed");
    if (peek() == '"' || peek() == '\'') {
      TRY_ASSIGN(step.member, parse_quoted(peek()));
    } else if (eat("*")) {
      step.kind = Step::Kind::kAny;
    } else {
      const std::size_t begin = at_;
      while (!done() && peek() >= '0' && peek() <= '9') ++at_;
      const auto index = parse_int(text_.substr(begin, at_ - begin));
      if (!index) return error("[] holds a number, * or a quoted name");
      step.kind = Step::Kind::kIndex;
      step.index = static_cast<std::size_t>(*index);
    }
    skip_space();
    if (!eat("]")) return error("[ is not closed");
    return step;
  }

  // --- name, or name op value && name op value
  Result<Words::Field> parse_field() {
    in_words_ = true;
    Words::Field field;
    const std::size_t begin = at_;
    skip_parentheses();
    TRY_ASSIGN(field_name_, parse_field_name());
    skip_space();
    if (done() || peek() == ',') {
      if (text_.substr(begin, at_ - begin).find('(') != std::string_view::npos)
        return error("a parenthesis is not closed");
      return field;
    }
    at_ = begin;
    TRY_ASSIGN(field.condition, parse_any(0));
    return field;
  }

  void skip_parentheses() {
    while (!done() && (peek() == '(' || is_space(peek()))) ++at_;
  }

  Result<std::string> parse_field_name() {
    const std::size_t begin = at_;
    while (!done() && (is_name(peek()) || peek() == '-' || peek() == '.')) ++at_;
    if (at_ == begin) return error("a field's name is missing");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<Condition> parse_word_test() {
    Condition test;
    TRY_ASSIGN(const auto name, parse_field_name());
    if (name != field_name_)
      return error(str("the field ", field_name_, " is compared under another name"));
    skip_space();
    TRY(parse_comparison(test));
    return test;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_json_ = false, in_words_ = false;
  int regexes_ = 0;
  std::string field_name_;
};

}  // namespace

Result<FilterPattern> FilterPattern::parse(std::string_view text) {
  FilterPattern pattern;
  text = trim(text);
  if (text.empty()) return pattern;
  if (text.size() > kMaxBytes) return fail(std::string(errc::kInvalid), "the pattern is too long");
  auto body = std::make_shared<Body>();
  if (text.front() == '{') {
    if (text.size() < 2 || text.back() != '}')
      return fail(std::string(errc::kInvalid), "a JSON pattern ends with }");
    TRY_ASSIGN(body->form, Parser(text.substr(1, text.size() - 2)).parse_json());
  } else if (text.front() == '[') {
    if (text.size() < 2 || text.back() != ']')
      return fail(std::string(errc::kInvalid), "a pattern of words ends with ]");
    TRY_ASSIGN(body->form, Parser(text.substr(1, text.size() - 2)).parse_words());
  } else {
    TRY_ASSIGN(body->form, Parser(text).parse_terms());
  }
  pattern.body_ = std::move(body);
  return pattern;
}

}  // namespace pileus::services::logs
