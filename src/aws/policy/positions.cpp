#include "aws/policy/positions.h"

#include <optional>

namespace pileus::aws::policy {

namespace {

// Walks a JSON text that is known to be well formed.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  std::vector<StatementSpan> run() {
    std::vector<StatementSpan> spans;
    skip_space();
    ++at_;  // the document's brace
    while (at_ < text_.size()) {
      skip_space();
      if (at_ >= text_.size() || text_[at_] == '}') break;
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      const std::string_view name = string();
      skip_space();
      ++at_;  // the colon
      skip_space();
      if (name == "\"Statement\"")
        statements(spans);
      else
        value();
    }
    return spans;
  }

 private:
  void statements(std::vector<StatementSpan>& spans) {
    if (text_[at_] != '[') {
      add(spans, at_ + 1);
      return;
    }
    std::size_t stood = ++at_;
    for (;;) {
      while (at_ < text_.size() && (is_space(text_[at_]) || text_[at_] == ',')) ++at_;
      if (at_ >= text_.size() || text_[at_] == ']') break;
      add(spans, stood);
      stood = at_;
    }
    ++at_;
  }
  void add(std::vector<StatementSpan>& spans, std::size_t start) {
    const std::size_t begin = at_;
    value();
    spans.push_back({position(start), position(at_), begin, at_});
  }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  std::string_view string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    return text_.substr(begin, ++at_ - begin);
  }
  // Objects and lists whole; of anything else up to what can follow it.
  void value() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        string();
        if (depth == 0) return;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
      if (depth == 0 && (c == '}' || c == ']')) return;
    }
  }
  TextPosition position(std::size_t offset) const {
    TextPosition out;
    for (std::size_t i = 0; i < offset && i < text_.size(); ++i) {
      ++out.column;
      if (text_[i] != '\n') continue;
      ++out.line;
      out.column = 1;
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<StatementSpan> statement_spans(std::string_view document) {
  return Walker(document).run();
}

}  // namespace pileus::aws::policy
