#include "store/journal_index.h"

namespace pileus::store {

const JournalIndex::Journal* JournalIndex::find(std::string_view journal) const {
  const auto found = journals_.find(journal);
  return found == journals_.end() ? nullptr : &found->second;
}

bool JournalIndex::dead(std::string_view journal, const ChunkRef& chunk) const {
  const auto check = [&](std::string_view name) {
    const auto found = forgotten_.find(name);
    return found != forgotten_.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [&](const Forgotten& one) { return covers(one, chunk); });
  };
  if (forgotten_.empty()) return false;
  if (check(journal)) return true;
  for (auto slash = journal.find('/'); slash != std::string_view::npos;
       slash = journal.find('/', slash + 1))
    if (check(journal.substr(0, slash + 1))) return true;
  return false;
}

void JournalIndex::add(std::string_view journal, const ChunkRef& chunk) {
  auto& file = files_[chunk.file];
  file.bytes += chunk.length;
  file.min_sequence = std::min(file.min_sequence, chunk.min_sequence);
  if (dead(journal, chunk)) return;
  file.live += chunk.length;
  auto found = journals_.find(journal);
  if (found == journals_.end()) found = journals_.emplace(std::string(journal), Journal()).first;
  auto& known = found->second;
  known.chunks.push_back(chunk);
  known.last_sequence = std::max(known.last_sequence, chunk.max_sequence);
  known.value_bytes += chunk.value_bytes(journal.size());
}

template <class Dead>
JournalIndex::ByName::iterator JournalIndex::remove_chunks(ByName::iterator at, Dead is_dead) {
  auto& journal = at->second;
  std::erase_if(journal.chunks, [&](const ChunkRef& chunk) {
    if (!is_dead(chunk)) return false;
    journal.value_bytes -= chunk.value_bytes(at->first.size());
    if (const auto file = files_.find(chunk.file); file != files_.end())
      file->second.live -= chunk.length;
    return true;
  });
  if (journal.chunks.empty()) return journals_.erase(at);
  if (journal.chunks.capacity() > 2 * journal.chunks.size() + 16) journal.chunks.shrink_to_fit();
  return std::next(at);
}

void JournalIndex::forget(const Forgotten& forgotten) {
  auto& of_name = forgotten_[forgotten.name];
  std::erase_if(of_name, [&](const Forgotten& one) {
    return one.sequence <= forgotten.sequence && one.before <= forgotten.before;
  });
  of_name.push_back(forgotten);
  const auto is_dead = [&](const ChunkRef& chunk) { return covers(forgotten, chunk); };
  if (forgotten.name.ends_with('/')) {
    auto at = journals_.lower_bound(forgotten.name);
    while (at != journals_.end() && at->first.starts_with(forgotten.name))
      at = remove_chunks(at, is_dead);
  } else if (const auto at = journals_.find(forgotten.name); at != journals_.end()) {
    remove_chunks(at, is_dead);
  }
}

void JournalIndex::drop_files(const std::set<std::uint32_t>& files) {
  for (auto at = journals_.begin(); at != journals_.end();)
    at = remove_chunks(at, [&](const ChunkRef& chunk) { return files.contains(chunk.file); });
  for (const auto number : files) files_.erase(number);
}

std::vector<Forgotten> JournalIndex::forgotten() {
  std::uint64_t oldest = ~std::uint64_t{0};
  for (const auto& [number, file] : files_) oldest = std::min(oldest, file.min_sequence);
  std::vector<Forgotten> all;
  for (auto at = forgotten_.begin(); at != forgotten_.end();) {
    auto& of_name = at->second;
    std::erase_if(of_name, [&](const Forgotten& one) { return one.sequence <= oldest; });
    all.insert(all.end(), of_name.begin(), of_name.end());
    at = of_name.empty() ? forgotten_.erase(at) : std::next(at);
  }
  return all;
}

void JournalIndex::clear() {
  journals_.clear();
  files_.clear();
  forgotten_.clear();
}

}  // namespace pileus::store
