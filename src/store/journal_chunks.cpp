#include "store/journal_chunks.h"

#include "base/text.h"
#include "store/frames.h"

namespace pileus::store {
namespace {
std::unexpected<Error> malformed(std::string_view what) {
  return fail(std::string(errc::kIo), str("a journal's file is damaged: ", what), 500);
}
}  // namespace

void ChunkRef::cover(std::int64_t time, std::uint64_t sequence) {
  min_time = std::min(min_time, time);
  max_time = std::max(max_time, time);
  min_sequence = std::min(min_sequence, sequence);
  max_sequence = std::max(max_sequence, sequence);
  ++count;
}

ChunkWriter::ChunkWriter(std::string& out, std::string_view journal)
    : out_(out), begun_(begin_frame(out)) {
  out_ += 'A';
  put_integer(out_, static_cast<std::uint16_t>(journal.size()));
  out_ += journal;
  count_at_ = out_.size();
  put_integer(out_, std::uint32_t{0});
}

void ChunkWriter::add(std::int64_t time, std::uint64_t sequence, std::string_view value) {
  char head[kEntryHead];
  const auto size = static_cast<std::uint32_t>(value.size());
  std::memcpy(head, &time, 8);
  std::memcpy(head + 8, &sequence, 8);
  std::memcpy(head + 16, &size, 4);
  out_.append(head, sizeof head);
  out_ += value;
  ref_.cover(time, sequence);
}

ChunkRef ChunkWriter::end() {
  std::memcpy(out_.data() + count_at_, &ref_.count, 4);
  end_frame(out_, begun_, kChunkSeed);
  ref_.offset = begun_;
  ref_.length = static_cast<std::uint32_t>(out_.size() - begun_);
  return ref_;
}

namespace {
// Walks a chunk; `each` sees every entry.
template <class Each>
Result<std::string_view> walk(std::string_view frame, Each each) {
  const auto payload = open_frame(frame, kChunkSeed);
  if (!payload) return malformed("a chunk does not match its checksum");
  ByteReader reader(*payload);
  if (reader.integer<char>() != 'A') return malformed("not a chunk");
  const auto name = reader.take(reader.integer<std::uint16_t>());
  for (auto count = reader.integer<std::uint32_t>(); count > 0 && !reader.bad(); --count) {
    EntryView entry;
    entry.time = reader.integer<std::int64_t>();
    entry.sequence = reader.integer<std::uint64_t>();
    entry.value = reader.take(reader.integer<std::uint32_t>());
    if (!reader.bad()) each(entry);
  }
  if (reader.bad()) return malformed("a chunk ends early");
  return name;
}
}  // namespace

Result<std::vector<EntryView>> chunk_entries(std::string_view frame, std::string_view journal) {
  std::vector<EntryView> entries;
  TRY_ASSIGN(const auto name,
             walk(frame, [&](const EntryView& entry) { entries.push_back(entry); }));
  if (name != journal) return malformed("a chunk of another journal");
  return entries;
}

Result<std::pair<std::string_view, ChunkRef>> chunk_at(std::string_view bytes) {
  ChunkRef ref;
  TRY_ASSIGN(const auto name,
             walk(bytes, [&](const EntryView& entry) { ref.cover(entry.time, entry.sequence); }));
  ref.length = static_cast<std::uint32_t>(kFrameHeader + get_integer<std::uint32_t>(bytes.data()));
  return std::pair(name, ref);
}

std::string journal_cursor(const JournalEntry& entry) {
  return str(micros(entry.time), ':', entry.sequence);
}

Result<PageBuilder> PageBuilder::make(const JournalRead& query) {
  PageBuilder page;
  if (query.from) page.from_ = micros(*query.from);
  if (query.until) page.until_ = micros(*query.until);
  page.limit_ = std::clamp<std::size_t>(query.limit, 1, 10'000);
  page.limit_bytes_ = std::max<std::size_t>(query.limit_bytes, 1);
  page.reverse_ = query.reverse;
  if (query.cursor.empty()) return page;
  const auto parts = split(query.cursor, ':');
  const auto time = parse_int(parts[0]);
  const auto sequence = parts.size() == 2 ? parse_int(parts[1]) : std::nullopt;
  if (!time || !sequence)
    return fail(std::string(errc::kInvalid), "not a cursor of a journal: " + query.cursor);
  page.after_ = Key(*time, static_cast<std::uint64_t>(*sequence));
  return page;
}

bool PageBuilder::wants(std::int64_t min_time, std::int64_t max_time) const {
  if (max_time < from_ || min_time >= until_) return false;
  if (after_ && (reverse_ ? min_time > after_->first : max_time < after_->first)) return false;
  if (!full()) return true;
  return reverse_ ? max_time >= kept_.begin()->first.first
                  : min_time <= kept_.rbegin()->first.first;
}

void PageBuilder::show(const EntryView& entry) {
  const Key key = entry.key();
  if (entry.time < from_ || entry.time >= until_) return;
  if (after_ && !before(*after_, key)) return;
  if (full() && !before(key, reverse_ ? kept_.begin()->first : kept_.rbegin()->first)) {
    dropped_ = true;
    return;
  }
  bytes_ += entry.value.size();
  kept_.emplace(key, entry.value);
  for (;;) {  // what is farthest goes while the rest fills the page
    const auto last = reverse_ ? kept_.begin() : std::prev(kept_.end());
    const std::size_t size = last->second.size();
    if (kept_.size() <= limit_ && (kept_.size() == 1 || bytes_ - size < limit_bytes_)) return;
    bytes_ -= size;
    kept_.erase(last);
    dropped_ = true;
  }
}

JournalPage PageBuilder::finish(bool more) {
  JournalPage page;
  page.entries.reserve(kept_.size());
  for (auto& [key, value] : kept_)
    page.entries.push_back(
        {Time(std::chrono::microseconds(key.first)), std::move(value), key.second});
  if (reverse_) std::reverse(page.entries.begin(), page.entries.end());
  if ((more || dropped_) && !page.entries.empty()) page.next = journal_cursor(page.entries.back());
  return page;
}

Result<Unit> check_append(std::string_view journal, const std::vector<JournalEntry>& entries) {
  const auto limit = [](std::string_view what, std::size_t bound) {
    return fail(std::string(errc::kLimit), str(what, " is limited to ", bound), 400);
  };
  if (journal.empty() || journal.ends_with('/'))
    return fail(std::string(errc::kInvalid),
                "a journal's name is not empty and does not end with '/'");
  if (journal.size() > Journals::kMaxNameBytes)
    return limit("the length of a journal's name", Journals::kMaxNameBytes);
  if (entries.size() > Journals::kMaxAppendEntries)
    return limit("the number of entries appended at once", Journals::kMaxAppendEntries);
  std::size_t bytes = 0;
  for (const auto& entry : entries) {
    bytes += kEntryHead + entry.value.size();
    if (entry.value.size() > Journals::kMaxValueBytes)
      return limit("the size of an entry", Journals::kMaxValueBytes);
  }
  if (bytes > Journals::kMaxAppendBytes)
    return limit("the size of an append", Journals::kMaxAppendBytes);
  return Unit{};
}

}  // namespace pileus::store
