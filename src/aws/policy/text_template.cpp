#include "aws/policy/text_template.h"

#include "aws/policy/request.h"
#include "base/text.h"

namespace pileus::aws::policy {
namespace {

// ", 'default'" after the key; nullopt where there is none.
std::optional<std::string> default_of(std::string_view& inside) {
  const auto comma = inside.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto quoted = trim(inside.substr(comma + 1));
  inside = inside.substr(0, comma);
  if (quoted.size() < 2 || quoted.front() != '\'' || quoted.back() != '\'') return std::nullopt;
  return std::string(quoted.substr(1, quoted.size() - 2));
}

}  // namespace

std::optional<TextTemplate> TextTemplate::parse(std::string_view text, bool variables) {
  TextTemplate out;
  while (!text.empty()) {
    const auto open = variables ? text.find("${") : std::string_view::npos;
    if (open != 0)
      out.pieces_.push_back({Piece::Kind::kText, std::string(text.substr(0, open)), {}, {}});
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + 2);
    const auto close = text.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    std::string_view inside = text.substr(0, close);
    text.remove_prefix(close + 1);
    if (inside == "*" || inside == "?" || inside == "$") {
      out.pieces_.push_back({Piece::Kind::kLiteral, std::string(inside), {}, {}});
      continue;
    }
    auto default_value = default_of(inside);
    out.pieces_.push_back(
        {Piece::Kind::kVariable, {}, Key(trim(inside)), std::move(default_value)});
    out.constant_ = false;
  }
  return out;
}

std::optional<std::string> TextTemplate::value(const Piece& piece, const Request& request) const {
  if (piece.kind != Piece::Kind::kVariable) return piece.text;
  KeyValues found;
  piece.key.look_up(request, found);
  if (found.values.size() == 1) return std::string(found.values[0]);
  if (found.values.empty()) return piece.default_value;
  return std::nullopt;  // several values make no one text
}

std::optional<std::string> TextTemplate::text(const Request& request) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    const auto part = value(piece, request);
    if (!part) return std::nullopt;
    out += *part;
  }
  return out;
}

std::optional<Pattern> TextTemplate::pattern(const Request& request, Pattern::Form form) const {
  Pattern::Builder out;
  for (const Piece& piece : pieces_) {
    const auto part = value(piece, request);
    if (!part) return std::nullopt;
    if (piece.kind == Piece::Kind::kText)
      out.pattern(*part);
    else
      out.literal(*part);
  }
  return out.build(form);
}

void TextTemplate::add_keys(std::vector<std::string>& out) const {
  for (const Piece& piece : pieces_)
    if (piece.kind == Piece::Kind::kVariable && !piece.default_value)
      out.push_back(piece.key.name());
}

std::string TextTemplate::constant_text() const {
  std::string out;
  for (const Piece& piece : pieces_) out += piece.text;
  return out;
}

Pattern TextTemplate::constant_pattern(Pattern::Form form) const {
  Pattern::Builder out;
  for (const Piece& piece : pieces_) {
    if (piece.kind == Piece::Kind::kText)
      out.pattern(piece.text);
    else
      out.literal(piece.text);
  }
  return out.build(form);
}

}  // namespace pileus::aws::policy
