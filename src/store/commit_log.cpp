#include "store/commit_log.h"

#include "base/text.h"
#include "store/frames.h"

namespace pileus::store {
namespace {
constexpr std::string_view kMagic = "pileuslg";
constexpr std::uint32_t kDeleted = 0xffffffff;
}  // namespace

Result<Unit> CommitLog::open_half(int index) {
  Half& half = halves_[index];
  TRY_ASSIGN(half.file, files_.open(str(path_, index), OpenMode::kCreate));
  TRY_ASSIGN(half.size, half.file->size());
  TRY_ASSIGN(const std::string head, half.file->read(0, kHeader));
  if (head.size() < kHeader || !head.starts_with(kMagic)) return Unit{};
  if (crc32c(std::string_view(head).substr(0, 24)) != get_integer<std::uint32_t>(&head[24]))
    return Unit{};
  half.generation = get_integer<std::uint64_t>(&head[8]);
  half.salt = get_integer<std::uint64_t>(&head[16]);
  return Unit{};
}

Result<Unit> CommitLog::replay(Half& half,
                               const std::function<Result<Unit>(std::string_view)>& each) {
  TRY_ASSIGN(const std::string bytes, half.file->read(0, half.size));
  std::string_view rest = std::string_view(bytes).substr(kHeader);
  while (const auto payload = open_frame(rest, half.salt)) {
    TRY(each(*payload));
    rest.remove_prefix(kFrameHeader + payload->size());
  }
  return Unit{};
}

Result<Unit> CommitLog::recover(std::uint64_t applied,
                                const std::function<Result<Unit>(std::string_view)>& each) {
  TRY(open_half(0));
  TRY(open_half(1));
  TRY(files_.sync_dir(folder_of(path_)));
  const int first = halves_[0].generation <= halves_[1].generation ? 0 : 1;
  for (const int index : {first, 1 - first})
    if (halves_[index].generation > applied) TRY(replay(halves_[index], each));
  current_ = 1 - first;
  generation_ = std::max(applied, halves_[1 - first].generation);
  return Unit{};
}

void CommitLog::start_generation() {
  current_ = 1 - current_;
  ++generation_;
  halves_[current_].generation = generation_;
  halves_[current_].salt = random_.next();
  offset_ = 0;
}

void CommitLog::begin() {
  buffer_.clear();
  if (offset_ == 0) {
    const Half& half = halves_[current_];
    buffer_ += kMagic;
    put_integer(buffer_, half.generation);
    put_integer(buffer_, half.salt);
    put_integer(buffer_, crc32c(buffer_));
    buffer_.resize(kHeader);
  }
  begun_ = begin_frame(buffer_);
}

Result<Unit> CommitLog::write() {
  Half& half = halves_[current_];
  end_frame(buffer_, begun_, half.salt);
  TRY(half.file->write(offset_, buffer_));
  offset_ += buffer_.size();
  if (offset_ > half.size) {
    const std::uint64_t ahead = std::clamp<std::uint64_t>(half.size, kGrowLeast, kGrow);
    const std::uint64_t grown = (offset_ / ahead + 1) * ahead;
    TRY(half.file->write(offset_, std::string(grown - offset_, '\0')));
    half.size = grown;
  }
  if (buffer_.capacity() > kGrow) buffer_ = {};
  return Unit{};
}

void put_logged_write(std::string& out, const LoggedWrite& write) {
  put_integer(out, write.revision);
  put_integer(out, static_cast<std::uint16_t>(write.partition.size()));
  put_integer(out, static_cast<std::uint16_t>(write.key.size()));
  put_integer(out, write.value ? static_cast<std::uint32_t>(write.value->size()) : kDeleted);
  out += write.partition;
  out += write.key;
  if (write.value) out += *write.value;
}

Result<std::vector<LoggedWrite>> logged_writes(std::string_view payload) {
  std::vector<LoggedWrite> writes;
  ByteReader reader(payload);
  while (!reader.empty()) {
    LoggedWrite write;
    write.revision = reader.integer<std::uint64_t>();
    const auto partition = reader.integer<std::uint16_t>();
    const auto key = reader.integer<std::uint16_t>();
    const auto value = reader.integer<std::uint32_t>();
    write.partition = reader.take(partition);
    write.key = reader.take(key);
    if (value != kDeleted) write.value = reader.take(value);
    if (reader.bad()) return fail(std::string(errc::kIo), "a batch of the commit log is malformed");
    writes.push_back(write);
  }
  return writes;
}

}  // namespace pileus::store
