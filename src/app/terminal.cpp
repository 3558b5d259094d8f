#include "app/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace pileus::app {

namespace {
std::string colored(const char* code, const std::string& text) {
  return color_wanted(STDOUT_FILENO) ? str("\x1b[", code, "m", text, "\x1b[0m") : text;
}
bool is_number(const std::string& cell) {
  return !cell.empty() && ((cell[0] >= '0' && cell[0] <= '9') || cell[0] == '$') &&
         cell.find('-') == std::string::npos;
}
}  // namespace

bool color_wanted(int descriptor) {
  return isatty(descriptor) == 1 && std::getenv("NO_COLOR") == nullptr;
}
std::string bold(const std::string& text) { return colored("1", text); }
std::string dim(const std::string& text) { return colored("2", text); }
std::string red(const std::string& text) { return colored("31", text); }
std::string green(const std::string& text) { return colored("32", text); }

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], utf8_length(row[i]));
  }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line = "  ";
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      const std::string pad(widths[i] - utf8_length(rows[r][i]), ' ');
      // A heading stands over its column as the column's cells do.
      const bool right =
          is_number(r == 0 && rows.size() > 1 && i < rows[1].size() ? rows[1][i] : rows[r][i]);
      line += right ? pad + rows[r][i] : rows[r][i] + pad;
      line += "  ";
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += (r == 0 ? bold(line) : line) + "\n";
  }
  return out;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
}

int complain(const std::string& what, const std::string& remedy) {
  const std::string line = str("pileus: ", what, "\n", remedy.empty() ? "" : "        ", remedy,
                               remedy.empty() ? "" : "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
  return 1;
}

}  // namespace pileus::app
