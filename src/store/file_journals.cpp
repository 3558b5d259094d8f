#include "store/file_journals.h"

#include <future>

#include "base/log.h"
#include "base/text.h"
#include "store/frames.h"
#include "store/journal_index.h"
#include "store/journal_run.h"
#include "store/watched_records.h"
#include "store/worker.h"

namespace pileus::store {
namespace {

struct Manifest {
  std::vector<std::uint32_t> runs;
  std::uint32_t logs_after = 0;  // logs up to this number are in runs
  std::uint32_t next_file = 1;
  std::uint64_t next_sequence = 1;
  std::vector<Forgotten> forgotten;
  PILEUS_FIELDS(Manifest, runs, logs_after, next_file, next_sequence, forgotten)
};

class FileJournals final : public Journals {
 public:
  FileJournals(std::string folder, FileJournalsOptions options)
      : folder_(std::move(folder)),
        log_limit_(options.log_bytes),
        files_(options.files ? *options.files : system_files()),
        reader_("store-jrn-read"),
        sorter_("store-jrn-sort") {}
  ~FileJournals() override;
  Result<Unit> start();

  Task<Result<std::uint64_t>> append(std::string journal,
                                     std::vector<JournalEntry> entries) override;
  Task<Result<JournalPage>> read(std::string journal, JournalRead query) override;
  Task<Result<Unit>> wait(std::string journal, std::uint64_t sequence) override;
  Task<Result<Unit>> drop_before(std::string journal, Time before) override;
  Task<Result<Unit>> remove(std::string journal) override;
  Task<Result<std::vector<std::string>>> list(std::string prefix, std::size_t limit,
                                              std::string after) override;
  Task<Result<std::uint64_t>> stored_bytes(std::string journal) override;
  Task<Result<Unit>> reset() override;

 private:
  static constexpr std::size_t kBatchBytes = 8 << 20;
  static constexpr std::size_t kChunkBytes = 256 << 10;
  static constexpr std::size_t kQueuedBytes = 64 << 20;
  static constexpr std::size_t kQueuedOps = 65'536;
  static constexpr std::size_t kSealedLogs = 8;  // small logs (of restarts) that wait for more
  static constexpr std::size_t kMergeBytes = 64 << 20;  // rewritten at a time
  static constexpr std::size_t kHeader = 16;            // of a log: magic, u32 number, u32 CRC32C

  enum class Kind { kAppend, kForget, kReset };
  struct Op {
    Kind kind;
    std::string journal;
    std::vector<JournalEntry> entries;
    std::int64_t before = INT64_MAX;
    Completer<std::uint64_t> appended;
    Completer<Unit> done;
    std::size_t bytes = 64;
    std::uint64_t first = 0;
  };
  using Placed = std::vector<std::pair<std::string, ChunkRef>>;

  template <class T>
  Task<Result<T>> ask(Op op, Completion<T> completion);

  // Write thread.
  void write_thread();
  std::vector<Op> take_batch();
  void run_batch(std::vector<Op>& batch);
  Placed lay_out(std::vector<Op>& batch);
  void begin_batch(Kind kind);
  Result<Unit> write_batch();
  Result<Unit> run_reset();
  void break_down(const Error& error);
  void roll();

  // Sort thread.
  void tidy();
  std::set<std::uint32_t> pick_sources(bool& logs);
  Result<Unit> rewrite(const std::set<std::uint32_t>& sources, bool logs);
  Result<RunDirectory> write_run(const std::set<std::uint32_t>& sources, std::uint32_t number,
                                 bool logs);
  Result<Unit> install(const std::set<std::uint32_t>& sources, bool logs, std::uint32_t number,
                       const RunDirectory& directory);
  Result<Unit> save_manifest(const Manifest& manifest);
  Result<Unit> clear_all();

  // Read thread.
  Result<JournalPage> read_now(const std::string& journal, const JournalRead& query);

  // Start.
  Result<Unit> replay_log(std::uint32_t number);
  Result<Unit> replay_batch(std::string_view payload, std::uint32_t file, std::uint64_t offset);
  Result<Unit> replay_forgotten(std::string_view payload);

  std::string path(const char* kind, std::uint32_t number) const {
    const std::string digits = std::to_string(number);
    return str(folder_, '/', kind, '-',
               std::string(8 - std::min<std::size_t>(8, digits.size()), '0'), digits);
  }
  std::string path_of(std::uint32_t number) const {  // under mutex_
    return path(runs_.contains(number) ? "run" : "log", number);
  }
  std::uint64_t last_sequence(const std::string& journal) {
    std::lock_guard lock(mutex_);
    const auto* found = index_.find(journal);
    return found ? found->last_sequence : 0;
  }

  const std::string folder_;
  const std::size_t log_limit_;
  FileLayer& files_;

  // Write thread only.
  std::unique_ptr<File> log_;
  std::uint32_t log_number_ = 0;
  std::uint64_t log_offset_ = 0;
  std::uint64_t sequence_ = 1;  // of the next entry
  std::string buffer_;
  std::size_t begun_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Op> queue_;
  std::size_t queued_bytes_ = 0;
  JournalIndex index_;
  std::set<std::uint32_t> runs_;
  std::map<std::uint32_t, std::uint64_t> sealed_;  // logs to be sorted, with their sizes
  std::uint32_t logs_after_ = 0;
  std::uint32_t next_file_ = 1;
  std::uint64_t next_sequence_ = 1;  // above all that is durable
  bool tidy_queued_ = false;
  bool stopping_ = false;
  std::optional<Error> broken_;  // after this nothing is accepted; reads go on

  Watchers watchers_;  // who waits for which journal
  Worker reader_;
  Worker sorter_;
  std::thread writer_;
};

FileJournals::~FileJournals() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (writer_.joinable()) writer_.join();
  sorter_.stop();
  reader_.stop();
}

// ---- Asking, on any loop

template <class T>
Task<Result<T>> FileJournals::ask(Op op, Completion<T> completion) {
  {
    std::lock_guard lock(mutex_);
    if (broken_) co_return fail(*broken_);
    if (queue_.size() >= kQueuedOps || queued_bytes_ >= kQueuedBytes)
      co_return fail(std::string(errc::kLimit), "too many appends wait for the disk; try again",
                     503);
    queued_bytes_ += op.bytes;
    queue_.push_back(std::move(op));
    if (queue_.size() == 1) wake_.notify_one();
  }
  co_return co_await completion;
}

Task<Result<std::uint64_t>> FileJournals::append(std::string journal,
                                                 std::vector<JournalEntry> entries) {
  CO_TRY(check_append(journal, entries));
  Op op{.kind = Kind::kAppend};
  for (const auto& entry : entries) op.bytes += kEntryHead + entry.value.size();
  op.journal = std::move(journal);
  op.entries = std::move(entries);
  Completion<std::uint64_t> completion;
  op.appended = completion.completer();
  co_return co_await ask(std::move(op), std::move(completion));
}

Task<Result<Unit>> FileJournals::drop_before(std::string journal, Time before) {
  Op op{.kind = Kind::kForget, .journal = std::move(journal)};
  op.before = micros(before);
  Completion<Unit> completion;
  op.done = completion.completer();
  co_return co_await ask(std::move(op), std::move(completion));
}

Task<Result<Unit>> FileJournals::remove(std::string journal) {
  Op op{.kind = Kind::kForget, .journal = std::move(journal)};
  Completion<Unit> completion;
  op.done = completion.completer();
  co_return co_await ask(std::move(op), std::move(completion));
}

Task<Result<Unit>> FileJournals::reset() {
  Op op{.kind = Kind::kReset};
  Completion<Unit> completion;
  op.done = completion.completer();
  co_return co_await ask(std::move(op), std::move(completion));
}

Task<Result<JournalPage>> FileJournals::read(std::string journal, JournalRead query) {
  co_return co_await reader_.run<JournalPage>(
      [this, journal = std::move(journal), query = std::move(query)] {
        return read_now(journal, query);
      });
}

Task<Result<Unit>> FileJournals::wait(std::string journal, std::uint64_t sequence) {
  for (;;) {
    Watchers::Ticket ticket(watchers_, journal, "");
    if (last_sequence(journal) >= sequence) co_return Unit{};
    CO_TRY(co_await ticket.changed());
  }
}

Task<Result<std::vector<std::string>>> FileJournals::list(std::string prefix, std::size_t limit,
                                                          std::string after) {
  std::vector<std::string> names;
  std::lock_guard lock(mutex_);
  const auto& journals = index_.journals();
  auto at = after < prefix ? journals.lower_bound(prefix) : journals.upper_bound(after);
  for (; at != journals.end() && at->first.starts_with(prefix) && names.size() < limit; ++at)
    names.push_back(at->first);
  co_return names;
}

Task<Result<std::uint64_t>> FileJournals::stored_bytes(std::string journal) {
  std::lock_guard lock(mutex_);
  const auto* found = index_.find(journal);
  co_return found ? found->value_bytes : 0;
}

// ---- The write thread

void FileJournals::write_thread() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto batch = take_batch();
    lock.unlock();
    run_batch(batch);
    batch.clear();
    lock.lock();
  }
}

std::vector<FileJournals::Op> FileJournals::take_batch() {
  std::vector<Op> batch;
  std::size_t bytes = 0;
  while (!queue_.empty() && bytes < kBatchBytes) {
    if (!batch.empty() && queue_.front().kind != batch.front().kind) break;
    bytes += queue_.front().bytes;
    queued_bytes_ -= queue_.front().bytes;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

void FileJournals::run_batch(std::vector<Op>& batch) {
  const Kind kind = batch.front().kind;
  Result<Unit> done = Unit{};
  {
    std::lock_guard lock(mutex_);
    if (broken_) done = fail(*broken_);
  }
  if (done && kind == Kind::kReset) {
    done = run_reset();
    if (!done) break_down(done.error());
  } else if (done) {
    const std::uint64_t base = log_ ? log_offset_ : 0;
    begin_batch(kind);
    auto placed = lay_out(batch);
    done = write_batch();
    if (!done) break_down(done.error());
    std::lock_guard lock(mutex_);
    for (auto& [name, chunk] : placed) {
      if (!done) break;
      chunk.file = log_number_;
      chunk.offset += base;
      index_.add(name, chunk);
    }
    for (const auto& op : batch)
      if (done && kind == Kind::kForget) index_.forget({op.journal, sequence_, op.before});
    if (done) next_sequence_ = sequence_;
  }
  if (done && kind == Kind::kAppend)
    for (const auto& op : batch) watchers_.notify_partition(op.journal);
  for (auto& op : batch) {
    if (kind == Kind::kAppend)
      op.appended.complete(done ? Result<std::uint64_t>(op.first) : fail(done.error()));
    else
      op.done.complete(done);
  }
  if (done && (log_offset_ >= log_limit_ || kind == Kind::kForget)) roll();
}

// A batch is one frame, so it is there as a whole or not at all.
void FileJournals::begin_batch(Kind kind) {
  buffer_.clear();
  if (!log_) {
    std::lock_guard lock(mutex_);
    log_number_ = next_file_++;
    log_offset_ = 0;
    buffer_ = "pileusjl";
    put_integer(buffer_, log_number_);
    put_integer(buffer_, crc32c(buffer_));
  }
  begun_ = begin_frame(buffer_);
  buffer_ += kind == Kind::kAppend ? 'A' : 'F';
}

FileJournals::Placed FileJournals::lay_out(std::vector<Op>& batch) {
  Placed placed;
  if (batch.front().kind == Kind::kForget) {
    for (const auto& op : batch) {
      put_integer(buffer_, static_cast<std::uint16_t>(op.journal.size()));
      buffer_ += op.journal;
      put_integer(buffer_, sequence_);
      put_integer(buffer_, op.before);
    }
    return placed;
  }
  std::map<std::string_view, std::vector<Op*>> by_journal;
  for (auto& op : batch) by_journal[op.journal].push_back(&op);
  for (auto& [journal, ops] : by_journal) {
    std::optional<ChunkWriter> chunk;
    for (Op* op : ops) {
      op->first = sequence_;
      for (const auto& entry : op->entries) {
        if (chunk && chunk->bytes() >= kChunkBytes) {
          placed.emplace_back(journal, chunk->end());
          chunk.reset();
        }
        if (!chunk) chunk.emplace(buffer_, journal);
        chunk->add(micros(entry.time), sequence_++, entry.value);
      }
    }
    if (chunk) placed.emplace_back(journal, chunk->end());
  }
  return placed;
}

Result<Unit> FileJournals::write_batch() {
  if (buffer_.size() == begun_ + kFrameHeader + 1) return Unit{};  // nothing but empty appends
  end_frame(buffer_, begun_, log_number_);
  const bool fresh = !log_;
  if (fresh) {
    TRY_ASSIGN(log_, files_.open(path("log", log_number_), OpenMode::kCreate));
  }
  TRY(log_->write(log_offset_, buffer_));
  TRY(log_->sync());
  if (fresh) TRY(files_.sync_dir(folder_));
  log_offset_ += buffer_.size();
  if (buffer_.capacity() > RunWriter::kFlushBytes) buffer_ = {};
  return Unit{};
}

// Closes a full log, and lets the sorter see whether there is something to do.
void FileJournals::roll() {
  std::lock_guard lock(mutex_);
  if (log_offset_ >= log_limit_) {
    sealed_[log_number_] = log_offset_;
    log_.reset();
    log_offset_ = 0;
  }
  if (std::exchange(tidy_queued_, true)) return;
  sorter_.post([this] { tidy(); });
}

Result<Unit> FileJournals::run_reset() {
  log_.reset();
  log_offset_ = 0;
  std::promise<Result<Unit>> cleared;
  sorter_.post([&] { cleared.set_value(clear_all()); });
  return cleared.get_future().get();
}

// After a failed write or sync nobody knows what is on the disk: a restart reads it again.
void FileJournals::break_down(const Error& error) {
  std::lock_guard lock(mutex_);
  if (broken_) return;
  log::error("journals accept no more entries; free the disk and restart",
             {{"reason", error.message()}});
  broken_ =
      Error(std::string(errc::kIo), "journals accept no more entries: " + error.message(), 500);
}

// ---- The sort thread

void FileJournals::tidy() {
  {
    std::lock_guard lock(mutex_);
    tidy_queued_ = false;
  }
  for (;;) {
    bool logs = false;
    const auto sources = pick_sources(logs);
    if (sources.empty()) return;
    if (const auto done = rewrite(sources, logs); !done) {
      log::error("journals could not be tidied; they stay as they are",
                 {{"reason", done.error().message()}});
      return;
    }
  }
}

std::set<std::uint32_t> FileJournals::pick_sources(bool& logs) {
  std::lock_guard lock(mutex_);
  std::set<std::uint32_t> sources;
  std::uint64_t bytes = 0;
  for (const auto& [number, size] : sealed_) {
    sources.insert(number);
    bytes += size;
    if (bytes >= log_limit_) break;
  }
  logs = true;
  if (bytes >= log_limit_ || sources.size() >= kSealedLogs) return sources;
  sources.clear();
  logs = false;
  std::set<std::uint32_t> small;
  bytes = 0;
  for (const auto number : runs_) {
    const auto& found = index_.files().find(number);
    const JournalIndex::File file =
        found == index_.files().end() ? JournalIndex::File() : found->second;
    const bool dead = file.live * 2 < file.bytes || file.live == 0;
    if (bytes + file.live > kMergeBytes) break;
    if (!dead && file.bytes * 16 > log_limit_) continue;
    (dead ? sources : small).insert(number);
    bytes += file.live;
  }
  if (small.size() >= kSealedLogs) sources.merge(small);
  return sources;
}

Result<Unit> FileJournals::rewrite(const std::set<std::uint32_t>& sources, bool logs) {
  std::uint32_t number;
  {
    std::lock_guard lock(mutex_);
    number = next_file_++;
  }
  TRY_ASSIGN(const auto directory, write_run(sources, number, logs));
  TRY(install(sources, logs, number, directory));
  for (const auto source : sources) TRY(files_.unlink(path(logs ? "log" : "run", source)));
  if (directory.empty()) TRY(files_.unlink(path("run", number)));
  return Unit{};
}

Result<RunDirectory> FileJournals::write_run(const std::set<std::uint32_t>& sources,
                                             std::uint32_t number, bool logs) {
  std::vector<std::pair<std::string, std::vector<ChunkRef>>> journals;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, journal] : index_.journals()) {
      std::vector<ChunkRef> chunks;
      for (const auto& chunk : journal.chunks)
        if (sources.contains(chunk.file)) chunks.push_back(chunk);
      if (!chunks.empty()) journals.emplace_back(name, std::move(chunks));
    }
  }
  if (journals.empty()) return RunDirectory();
  std::map<std::uint32_t, std::unique_ptr<File>> open;
  for (const auto source : sources) {
    TRY_ASSIGN(open[source], files_.open(path(logs ? "log" : "run", source), OpenMode::kRead));
  }
  TRY_ASSIGN(auto file, files_.open(path("run", number), OpenMode::kCreate));
  RunWriter run(std::move(file), number);
  for (const auto& [name, chunks] : journals) {
    std::deque<std::string> frames;  // what the views below point into
    std::vector<EntryView> entries;
    for (const auto& chunk : chunks) {
      TRY_ASSIGN(auto frame, open.at(chunk.file)->read(chunk.offset, chunk.length));
      frames.push_back(std::move(frame));
      TRY_ASSIGN(const auto found, chunk_entries(frames.back(), name));
      entries.insert(entries.end(), found.begin(), found.end());
    }
    TRY(run.add(name, entries));
  }
  TRY_ASSIGN(auto directory, run.finish());
  TRY(files_.sync_dir(folder_));
  return directory;
}

// The manifest is where a new run takes the place of its sources.
Result<Unit> FileJournals::install(const std::set<std::uint32_t>& sources, bool logs,
                                   std::uint32_t number, const RunDirectory& directory) {
  Manifest manifest;
  {
    std::lock_guard lock(mutex_);
    for (const auto run : runs_)
      if (logs || !sources.contains(run)) manifest.runs.push_back(run);
    if (!directory.empty()) manifest.runs.push_back(number);
    manifest.logs_after = logs ? std::max(logs_after_, *sources.rbegin()) : logs_after_;
    manifest.next_file = next_file_;
    manifest.next_sequence = next_sequence_;
    manifest.forgotten = index_.forgotten();
  }
  TRY(save_manifest(manifest));
  std::lock_guard lock(mutex_);
  logs_after_ = manifest.logs_after;
  runs_ = std::set<std::uint32_t>(manifest.runs.begin(), manifest.runs.end());
  for (const auto source : sources) sealed_.erase(source);
  index_.drop_files(sources);
  for (const auto& [name, chunk] : directory) index_.add(name, chunk);
  return Unit{};
}

Result<Unit> FileJournals::save_manifest(const Manifest& manifest) {
  return replace_file(files_, folder_ + "/manifest", encode(manifest));
}

Result<Unit> FileJournals::clear_all() {
  Manifest manifest;
  std::vector<std::string> names;
  TRY_ASSIGN(names, files_.list(folder_));
  {
    std::lock_guard lock(mutex_);
    manifest.logs_after = next_file_++;
    manifest.next_file = next_file_;
    manifest.next_sequence = next_sequence_;
  }
  TRY(save_manifest(manifest));
  {
    std::lock_guard lock(mutex_);
    logs_after_ = manifest.logs_after;
    runs_.clear();
    sealed_.clear();
    index_.clear();
  }
  for (const auto& name : names)
    if (name.starts_with("log-") || name.starts_with("run-"))
      TRY(files_.unlink(folder_ + "/" + name));
  return Unit{};
}

// ---- The read thread

Result<JournalPage> FileJournals::read_now(const std::string& journal, const JournalRead& query) {
  for (int attempt = 0;; ++attempt) {
    TRY_ASSIGN(auto page, PageBuilder::make(query));
    std::vector<ChunkRef> chunks;
    std::map<std::uint32_t, std::string> paths;
    {
      std::lock_guard lock(mutex_);
      const auto* found = index_.find(journal);
      if (!found) return JournalPage();
      for (const auto& chunk : found->chunks) {
        if (!page.wants(chunk.min_time, chunk.max_time)) continue;
        chunks.push_back(chunk);
        if (!paths.contains(chunk.file)) paths[chunk.file] = path_of(chunk.file);
      }
    }
    const auto later = [&](const ChunkRef& a, const ChunkRef& b) {
      return query.reverse ? a.max_time < b.max_time : a.min_time > b.min_time;
    };
    std::make_heap(chunks.begin(), chunks.end(), later);
    std::map<std::uint32_t, std::unique_ptr<File>> open;
    bool more = false;
    bool moved = false;
    while (!chunks.empty() && !moved && !more) {
      std::pop_heap(chunks.begin(), chunks.end(), later);
      const ChunkRef chunk = chunks.back();
      chunks.pop_back();
      more = !page.wants(chunk.min_time, chunk.max_time);  // and so are all that follow
      if (more) break;
      auto& file = open[chunk.file];
      if (!file) {
        auto opened = files_.open(paths.at(chunk.file), OpenMode::kRead);
        moved = !opened && opened.error().is(errc::kNotFound) && attempt < 10;  // sorted meanwhile
        if (moved) break;
        if (!opened) return fail(opened.error());
        file = std::move(*opened);
      }
      TRY_ASSIGN(const auto frame, file->read(chunk.offset, chunk.length));
      TRY_ASSIGN(const auto entries, chunk_entries(frame, journal));
      for (const auto& entry : entries) page.show(entry);
    }
    if (!moved) return page.finish(more);
  }
}

// ---- Start

Result<Unit> FileJournals::start() {
  TRY(files_.make_dir(folder_));
  TRY(files_.sync_dir(folder_of(folder_)));
  TRY_ASSIGN(const auto names, files_.list(folder_));
  Manifest manifest;
  if (std::find(names.begin(), names.end(), "manifest") != names.end()) {
    TRY_ASSIGN(const auto text, read_file(files_, folder_ + "/manifest"));
    TRY_ASSIGN(manifest, decode<Manifest>(text));
  }
  next_file_ = manifest.next_file;
  next_sequence_ = manifest.next_sequence;
  logs_after_ = manifest.logs_after;
  runs_ = std::set<std::uint32_t>(manifest.runs.begin(), manifest.runs.end());
  for (const auto& forgotten : manifest.forgotten) index_.forget(forgotten);
  for (const auto number : runs_) {
    TRY_ASSIGN(auto file, files_.open(path("run", number), OpenMode::kRead));
    TRY_ASSIGN(const auto directory, read_run_directory(*file, number));
    for (const auto& [name, chunk] : directory) index_.add(name, chunk);
  }
  std::set<std::uint32_t> logs;
  for (const auto& name : names) {
    const auto number = static_cast<std::uint32_t>(
        parse_int(name.substr(std::min<std::size_t>(4, name.size()))).value_or(0));
    next_file_ = std::max(next_file_, number + 1);
    const bool log = name.starts_with("log-") && number > logs_after_;
    if (log) logs.insert(number);
    const bool kept =
        log || name == "manifest" || (name.starts_with("run-") && runs_.contains(number));
    if (!kept) TRY(files_.unlink(folder_ + "/" + name));  // left behind by a crash
  }
  for (const auto number : logs) TRY(replay_log(number));
  sequence_ = next_sequence_;
  writer_ = std::thread([this] {
    name_thread("store-jrn-write");
    write_thread();
  });
  sorter_.post([this] { tidy(); });
  return Unit{};
}

Result<Unit> FileJournals::replay_log(std::uint32_t number) {
  TRY_ASSIGN(const auto bytes, read_file(files_, path("log", number)));
  sealed_[number] = bytes.size();
  std::string_view rest = bytes;
  if (rest.size() < kHeader || crc32c(rest.substr(0, 12)) != get_integer<std::uint32_t>(&rest[12]))
    return Unit{};  // cut before its first batch was durable
  rest.remove_prefix(kHeader);
  while (const auto payload = open_frame(rest, number)) {
    const auto offset = static_cast<std::uint64_t>(payload->data() - bytes.data());
    TRY(replay_batch(*payload, number, offset));
    rest.remove_prefix(kFrameHeader + payload->size());
  }
  return Unit{};
}

Result<Unit> FileJournals::replay_batch(std::string_view payload, std::uint32_t file,
                                        std::uint64_t offset) {
  const char kind = payload.front();
  payload.remove_prefix(1);
  ++offset;
  if (kind == 'F') return replay_forgotten(payload);
  while (!payload.empty()) {
    TRY_ASSIGN(auto found, chunk_at(payload));
    auto& [name, chunk] = found;
    chunk.file = file;
    chunk.offset = offset;
    next_sequence_ = std::max(next_sequence_, chunk.max_sequence + 1);
    index_.add(name, chunk);
    offset += chunk.length;
    payload.remove_prefix(chunk.length);
  }
  return Unit{};
}

Result<Unit> FileJournals::replay_forgotten(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.empty()) {
    Forgotten forgotten;
    forgotten.name = reader.take(reader.integer<std::uint16_t>());
    forgotten.sequence = reader.integer<std::uint64_t>();
    forgotten.before = reader.integer<std::int64_t>();
    if (reader.bad()) return fail(std::string(errc::kIo), "a journal's log is malformed", 500);
    next_sequence_ = std::max(next_sequence_, forgotten.sequence);
    index_.forget(forgotten);
  }
  return Unit{};
}

}  // namespace

Result<std::unique_ptr<Journals>> make_file_journals(std::string folder,
                                                     FileJournalsOptions options) {
  auto journals = std::make_unique<FileJournals>(std::move(folder), options);
  TRY(journals->start());
  return journals;
}

}  // namespace pileus::store
