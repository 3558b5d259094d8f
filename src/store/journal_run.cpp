#include "store/journal_run.h"

#include "base/text.h"
#include "store/frames.h"

namespace pileus::store {
namespace {
constexpr std::string_view kMagic = "pileusrn";
constexpr std::size_t kTrailer = 24;  // magic, u64 offset of the directory, u32 length, u32 CRC32C

void put_ref(std::string& out, const ChunkRef& ref) {
  put_integer(out, ref.offset);
  put_integer(out, ref.length);
  put_integer(out, ref.count);
  put_integer(out, ref.min_sequence);
  put_integer(out, ref.max_sequence);
  put_integer(out, ref.min_time);
  put_integer(out, ref.max_time);
}
ChunkRef get_ref(ByteReader& reader, std::uint32_t file) {
  ChunkRef ref;
  ref.file = file;
  ref.offset = reader.integer<std::uint64_t>();
  ref.length = reader.integer<std::uint32_t>();
  ref.count = reader.integer<std::uint32_t>();
  ref.min_sequence = reader.integer<std::uint64_t>();
  ref.max_sequence = reader.integer<std::uint64_t>();
  ref.min_time = reader.integer<std::int64_t>();
  ref.max_time = reader.integer<std::int64_t>();
  return ref;
}
}  // namespace

Result<Unit> RunWriter::flush() {
  TRY(file_->write(flushed_, buffer_));
  flushed_ += buffer_.size();
  buffer_.clear();
  return Unit{};
}

Result<Unit> RunWriter::add(std::string_view journal, std::vector<EntryView>& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const EntryView& a, const EntryView& b) { return a.key() < b.key(); });
  for (std::size_t at = 0; at < entries.size();) {
    ChunkWriter chunk(buffer_, journal);
    do {
      chunk.add(entries[at].time, entries[at].sequence, entries[at].value);
      ++at;
    } while (at < entries.size() && chunk.bytes() < kBlockBytes);
    ChunkRef ref = chunk.end();
    ref.file = number_;
    ref.offset += flushed_;
    directory_.emplace_back(journal, ref);
    if (buffer_.size() >= kFlushBytes) TRY(flush());
  }
  return Unit{};
}

Result<RunDirectory> RunWriter::finish() {
  TRY(flush());
  const std::uint64_t offset = flushed_;
  const auto begun = begin_frame(buffer_);
  put_integer(buffer_, static_cast<std::uint32_t>(directory_.size()));
  for (const auto& [name, ref] : directory_) {
    put_integer(buffer_, static_cast<std::uint16_t>(name.size()));
    buffer_ += name;
    put_ref(buffer_, ref);
  }
  end_frame(buffer_, begun, number_);
  std::string trailer(kMagic);
  put_integer(trailer, offset);
  put_integer(trailer, static_cast<std::uint32_t>(buffer_.size()));
  put_integer(trailer, crc32c(trailer));
  buffer_ += trailer;
  TRY(flush());
  TRY(file_->sync());
  return std::move(directory_);
}

Result<RunDirectory> read_run_directory(File& file, std::uint32_t number) {
  const auto damaged = [&] {
    return fail(std::string(errc::kIo), str("the journal file run-", number, " is damaged"), 500);
  };
  TRY_ASSIGN(const auto size, file.size());
  if (size < kTrailer) return damaged();
  TRY_ASSIGN(const std::string trailer, file.read(size - kTrailer, kTrailer));
  if (trailer.size() != kTrailer || !trailer.starts_with(kMagic) ||
      crc32c(std::string_view(trailer).substr(0, 20)) != get_integer<std::uint32_t>(&trailer[20]))
    return damaged();
  TRY_ASSIGN(const std::string frame, file.read(get_integer<std::uint64_t>(&trailer[8]),
                                                get_integer<std::uint32_t>(&trailer[16])));
  const auto payload = open_frame(frame, number);
  if (!payload) return damaged();
  RunDirectory directory;
  ByteReader reader(*payload);
  for (auto count = reader.integer<std::uint32_t>(); count > 0 && !reader.bad(); --count) {
    std::string name(reader.take(reader.integer<std::uint16_t>()));
    directory.emplace_back(std::move(name), get_ref(reader, number));
  }
  if (reader.bad()) return damaged();
  return directory;
}

}  // namespace pileus::store
