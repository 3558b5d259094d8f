// The server's parser on arbitrary bytes: it never reads past its input, never grows past its
// limits, and says the same however the bytes are split. The first byte of the input chooses the
// size of the pieces and whether an answer is parsed instead of a request.
#include <cstdio>
#include <cstdlib>

#include "net/http_parser.h"

namespace {

using namespace pileus::net;

constexpr ParserLimits kLimits{.head_bytes = 4096, .body_bytes = 65536};

struct Seen {
  bool wrong = false;
  std::string text;  // everything that came out, in a form that can be compared
};

void check(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void add(std::string& out, const Headers& headers) {
  for (const auto& [name, value] : headers) {
    check(!name.empty(), "an empty field name");
    check(name.find_first_of(" \t\r\n:") == std::string::npos, "a field name with separators");
    check(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
          "a value with line ends or NUL");
    out.append(name).append("\x01").append(value).append("\x02");
  }
  out += '\x03';
}

// Messages one after the other, as a connection reads them. Each piece is a copy of its own size,
// so that the sanitizer sees every read past it.
template <bool kRequest>
Seen run(std::string_view bytes, std::size_t piece) {
  Seen seen;
  MessageParser<kRequest> parser;
  parser.reset(kLimits);
  bool in_body = false;
  std::string held, body;
  while (!seen.wrong) {
    const std::unique_ptr<char[]> exact(new char[held.size()]);
    std::copy(held.begin(), held.end(), exact.get());
    const std::string_view view(exact.get(), held.size());
    std::size_t consumed = 0;
    const Parsed parsed =
        in_body ? parser.parse_body(view, consumed, body) : parser.parse_head(view, consumed);
    check(consumed <= view.size(), "more consumed than given");
    check(body.size() <= kLimits.body_bytes + view.size(), "a body beyond its limit");
    held.erase(0, consumed);
    if (parsed == Parsed::kWrong) {
      check(parser.status() >= 400 && parser.status() < 600, "a refusal without status");
      seen.wrong = true;
    } else if (parsed == Parsed::kDone && !in_body) {
      in_body = true;
      seen.text.append(parser.head.method).append(" ").append(parser.head.target);
      seen.text.append(std::to_string(parser.head.status));
      add(seen.text, parser.head.headers);
      if (kRequest) check(!(parser.content_length() && parser.chunked()), "two framings");
    } else if (parsed == Parsed::kDone) {
      seen.text.append(body);
      add(seen.text, parser.trailers);
      in_body = false;
      body.clear();
      if (!parser.keep_alive()) break;
      parser.reset(kLimits);
    } else {
      if (bytes.empty()) break;
      const std::size_t take = std::min(piece, bytes.size());
      held.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
    }
  }
  return seen;
}

template <bool kRequest>
void compare(std::string_view bytes, std::size_t piece) {
  const Seen whole = run<kRequest>(bytes, bytes.size());
  const Seen split = run<kRequest>(bytes, piece);
  // What is wrong may be noticed later or earlier, and limits on heads count what has arrived; what
  // both accept must be the same.
  if (!whole.wrong && !split.wrong) check(whole.text == split.text, "another message when split");
  const std::size_t common = std::min(whole.text.size(), split.text.size());
  check(whole.text.compare(0, common, split.text, 0, common) == 0, "another beginning when split");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + (data[0] & 0x3f);
  if (data[0] & 0x80)
    compare<false>(bytes, piece);
  else
    compare<true>(bytes, piece);
  return 0;
}
