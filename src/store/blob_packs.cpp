#include "store/blob_packs.h"

#include "base/log.h"
#include "base/text.h"
#include "store/frames.h"

namespace pileus::store {
namespace {
constexpr std::uint64_t kSeed = 0x70696c6575730062;
}

BlobPacks::Key BlobPacks::key_of(std::string_view digest) {
  Key key{};
  std::memcpy(key.words.data(), digest.data(), std::min<std::size_t>(digest.size(), 32));
  return key;
}

std::string BlobPacks::path(std::uint32_t pack) const { return str(folder_, "/pack-", pack); }

std::optional<BlobPacks::Place> BlobPacks::find(std::string_view digest) const {
  std::lock_guard lock(mutex_);
  const auto found = index_.find(key_of(digest));
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

Result<Unit> BlobPacks::load() {
  TRY(files_.make_dir(folder_));
  TRY_ASSIGN(const auto names, files_.list(folder_));
  for (const auto& name : names)
    if (const auto number = name.starts_with("pack-") ? parse_int(name.substr(5)) : std::nullopt)
      packs_[static_cast<std::uint32_t>(*number)] = {};
  for (auto& [number, pack] : packs_) {
    TRY(load_pack(number, number == packs_.rbegin()->first));
  }
  if (!packs_.empty()) active_number_ = packs_.rbegin()->first;
  return compact();
}

// Only the newest pack can end in a record that was being written when the power went.
Result<Unit> BlobPacks::load_pack(std::uint32_t number, bool newest) {
  TRY_ASSIGN(auto file, files_.open(path(number), OpenMode::kUpdate));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  std::string whole;
  if (newest) {
    TRY_ASSIGN(whole, file->read(0, size));
  }
  std::uint64_t offset = 0;
  while (offset + kHead <= size) {
    std::string head;
    if (newest) {
      const auto record = std::string_view(whole).substr(offset);
      if (!open_frame(record.substr(1), kSeed)) break;
      head = record.substr(0, kHead);
    } else {
      TRY_ASSIGN(head, file->read(offset, kHead));
    }
    const auto length = get_integer<std::uint32_t>(&head[1]);
    if (length < 32 || offset + 9 + length > size) break;
    const Place place{number, length - 32, offset};
    if (head[0] == 0)
      packs_[number].dead += kHead + place.size;
    else
      TRY(learn(std::string_view(head).substr(9), place));
    offset += 9 + length;
  }
  packs_[number].bytes = offset;
  if (offset == size) return Unit{};
  if (!newest) {
    log::error("a pack of blobs is damaged; what follows is lost", {{"file", path(number)}});
    return Unit{};
  }
  TRY(file->truncate(offset));
  return file->sync();
}

// A blob that was being copied to a newer pack may be in both; one removal must be enough for it.
Result<Unit> BlobPacks::learn(std::string_view digest, const Place& place) {
  std::optional<Place> older;
  {
    std::lock_guard lock(mutex_);
    auto& known = index_[key_of(digest)];
    if (known.pack != 0) older = known;
    known = place;
  }
  if (!older) return Unit{};
  std::map<std::uint32_t, std::unique_ptr<File>> open;
  TRY(mark_dead(*older, open));
  return open.begin()->second->sync();
}

Result<Unit> BlobPacks::mark_dead(const Place& place,
                                  std::map<std::uint32_t, std::unique_ptr<File>>& open) {
  auto& file = open[place.pack];
  if (!file) {
    TRY_ASSIGN(file, files_.open(path(place.pack), OpenMode::kUpdate));
  }
  TRY(file->write(place.offset, std::string_view("\0", 1)));
  packs_[place.pack].dead += kHead + place.size;
  return Unit{};
}

Result<Unit> BlobPacks::open_active() {
  const auto known = packs_.find(active_number_);
  const bool full = known != packs_.end() && known->second.bytes >= pack_bytes_;
  if (active_ && !full) return Unit{};
  if (full || active_number_ == 0) ++active_number_;
  TRY_ASSIGN(active_, files_.open(path(active_number_), OpenMode::kCreate));
  if (packs_.contains(active_number_)) return Unit{};
  packs_[active_number_];
  return files_.sync_dir(folder_);
}

Result<Unit> BlobPacks::append(const std::vector<std::pair<std::string, std::string_view>>& blobs) {
  TRY(open_active());
  auto& pack = packs_[active_number_];
  std::string buffer;
  std::vector<std::pair<Key, Place>> places;
  std::set<std::string_view> seen;
  for (const auto& [digest, bytes] : blobs) {
    if (find(digest) || !seen.insert(digest).second) continue;
    places.emplace_back(key_of(digest),
                        Place{active_number_, static_cast<std::uint32_t>(bytes.size()),
                              pack.bytes + buffer.size()});
    buffer += '\1';
    const auto begun = begin_frame(buffer);
    buffer += digest;
    buffer += bytes;
    end_frame(buffer, begun, kSeed);
  }
  if (places.empty()) return Unit{};
  TRY(active_->write(pack.bytes, buffer));
  TRY(active_->sync());
  pack.bytes += buffer.size();
  std::lock_guard lock(mutex_);
  for (const auto& [key, place] : places) index_[key] = place;
  return Unit{};
}

Result<std::size_t> BlobPacks::remove(const std::vector<std::string>& digests) {
  std::map<std::uint32_t, std::unique_ptr<File>> open;
  std::vector<Key> gone;
  for (const auto& digest : digests) {
    const auto place = find(digest);
    const Key key = key_of(digest);
    if (!place || std::find(gone.begin(), gone.end(), key) != gone.end()) continue;
    TRY(mark_dead(*place, open));
    gone.push_back(key);
  }
  for (auto& [number, file] : open) TRY(file->sync());
  {
    std::lock_guard lock(mutex_);
    for (const auto& key : gone) index_.erase(key);
  }
  TRY(compact());
  return gone.size();
}

// Copies what is left of mostly removed packs to the newest one, then drops them.
Result<Unit> BlobPacks::compact() {
  std::vector<std::uint32_t> poor;
  for (const auto& [number, pack] : packs_)
    if (number != active_number_ && pack.dead * 2 >= pack.bytes) poor.push_back(number);
  for (const auto number : poor) {
    std::vector<Place> left;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [key, place] : index_)
        if (place.pack == number) left.push_back(place);
    }
    if (!left.empty()) {
      TRY(open_active());
      TRY_ASSIGN(auto from, files_.open(path(number), OpenMode::kRead));
      auto& pack = packs_[active_number_];
      std::vector<std::pair<Key, Place>> places;
      std::uint64_t end = pack.bytes;
      for (const auto& place : left) {
        TRY_ASSIGN(const auto record, from->read(place.offset, kHead + place.size));
        TRY(active_->write(end, record));
        places.emplace_back(key_of(std::string_view(record).substr(9, 32)),
                            Place{active_number_, place.size, end});
        end += record.size();
      }
      TRY(active_->sync());
      pack.bytes = end;
      std::lock_guard lock(mutex_);
      for (const auto& [key, place] : places) index_[key] = place;
    }
    TRY(files_.unlink(path(number)));
    packs_.erase(number);
  }
  // Or the old pack would come back after a power loss, with blobs that were removed since.
  return poor.empty() ? Result<Unit>(Unit{}) : files_.sync_dir(folder_);
}

Result<Unit> BlobPacks::clear() {
  active_.reset();
  {
    std::lock_guard lock(mutex_);
    index_.clear();
  }
  for (const auto& [number, pack] : packs_) TRY(files_.unlink(path(number)));
  packs_.clear();
  ++active_number_;  // open readers keep the old file; a new one must not be taken for it
  return files_.sync_dir(folder_);
}

}  // namespace pileus::store
