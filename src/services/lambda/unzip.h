// Unpacks an uploaded zip into a folder, trusting nothing in it. Blocks: workers only.
#pragma once

#include <string>

#include "base/error.h"

namespace pileus::services::lambda {

inline constexpr std::uint64_t kMaxUnpackedBytes = 262'144'000;  // 250 MB
inline constexpr std::size_t kMaxZipEntries = 200'000;

struct Unpacked {
  std::uint64_t bytes = 0;
  std::size_t files = 0;
};
// `folder` must exist and be empty. InvalidParameterValueException in AWS's words for what is no
// zip, leaves the folder ("..", absolute names, links), or is too large; errc::kIo for the disk.
// Everything becomes readable (and what its owner may execute, executable) for the sandbox's user.
Result<Unpacked> unzip(std::string_view zip, const std::string& folder);

}  // namespace pileus::services::lambda
