// Words for people at a terminal: colours only where somebody looks, tables that line up.
#pragma once

#include <string>
#include <vector>

namespace pileus::app {

bool color_wanted(int descriptor);  // a terminal, and NO_COLOR is not set
std::string bold(const std::string& text);
std::string dim(const std::string& text);
std::string red(const std::string& text);
std::string green(const std::string& text);

// Rows of cells in columns; numbers (cells that begin with a digit or '$') are set to the right.
std::string table(const std::vector<std::vector<std::string>>& rows);
void print(const std::string& text);  // standard output, with a newline
int complain(const std::string& what, const std::string& remedy);  // standard error; gives 1

}  // namespace pileus::app
