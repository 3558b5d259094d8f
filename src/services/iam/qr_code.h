// A text as a QR code in a PNG image. Pure; any thread.
#pragma once

#include <string>

#include "base/completion.h"

namespace pileus::services::iam {

// Black on white, four pixels a module, the margin that readers want. Texts of up to some 2,900
// bytes; longer ones are errc::kInvalid.
Result<std::string> qr_code_png(const std::string& text);

}  // namespace pileus::services::iam
