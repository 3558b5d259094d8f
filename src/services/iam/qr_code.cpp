#include "services/iam/qr_code.h"

#include <qrencode.h>
#include <zlib.h>

#include <memory>

namespace pileus::services::iam {

namespace {

constexpr std::size_t kScale = 4;   // pixels of a module
constexpr std::size_t kMargin = 4;  // modules: ISO/IEC 18004's quiet zone

void append_u32(std::string& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

void append_chunk(std::string& png, const std::string& type, const std::string& data) {
  append_u32(png, data.size());
  const std::string body = type + data;
  png += body;
  append_u32(png,
             crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
}

// One bit a pixel, 1 is white; every row begins with its filter, which is none.
std::string rows_of(const QRcode& code, std::size_t pixels) {
  const auto width = static_cast<std::size_t>(code.width);
  std::string rows;
  for (std::size_t y = 0; y < pixels; ++y) {
    std::string row((pixels + 7) / 8, '\xff');
    const std::size_t module_y = y / kScale;
    for (std::size_t x = 0; x < pixels; ++x) {
      const std::size_t module_x = x / kScale;
      if (module_x < kMargin || module_y < kMargin || module_x >= width + kMargin ||
          module_y >= width + kMargin)
        continue;
      if (code.data[(module_y - kMargin) * width + module_x - kMargin] & 1)
        row[x / 8] = static_cast<char>(row[x / 8] & ~(0x80 >> (x % 8)));
    }
    rows += '\0' + row;
  }
  return rows;
}

}  // namespace

Result<std::string> qr_code_png(const std::string& text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1), &QRcode_free);
  if (!code) return fail(std::string(errc::kInvalid), "The text is too long for a QR code.");
  const std::size_t pixels = (static_cast<std::size_t>(code->width) + 2 * kMargin) * kScale;
  const std::string rows = rows_of(*code, pixels);
  std::string packed(compressBound(rows.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(size);
  std::string png("\x89PNG\r\n\x1a\n", 8), header;
  append_u32(header, pixels);
  append_u32(header, pixels);
  header += std::string("\x01\x00\x00\x00\x00", 5);  // one bit, grey, deflate, no interlace
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", packed);
  append_chunk(png, "IEND", "");
  return png;
}

}  // namespace pileus::services::iam
