// Typed records: PILEUS_FIELDS structs kept in Records. Free functions; any loop.
#pragma once

#include "store/fields.h"
#include "store/records.h"

namespace pileus::store {

template <class T>
struct Versioned {
  T value;
  Revision revision = 0;
};
template <class T>
struct Keyed {
  std::string key;
  T value;
  Revision revision = 0;
};

template <class T>
Task<Result<std::optional<Versioned<T>>>> load(Records& records, std::string partition,
                                               std::string key) {
  CO_TRY_ASSIGN(auto entry, co_await records.get(std::move(partition), std::move(key)));
  if (!entry) co_return std::optional<Versioned<T>>();
  CO_TRY_ASSIGN(T value, decode<T>(entry->value));
  co_return std::optional<Versioned<T>>(Versioned<T>{std::move(value), entry->revision});
}

// One page of a scan (see ScanOptions).
template <class T>
Task<Result<std::vector<Keyed<T>>>> load_page(Records& records, std::string partition,
                                              std::string prefix, ScanOptions options) {
  CO_TRY_ASSIGN(auto entries,
                co_await records.scan(std::move(partition), std::move(prefix), std::move(options)));
  std::vector<Keyed<T>> page;
  page.reserve(entries.size());
  for (auto& entry : entries) {
    CO_TRY_ASSIGN(T value, decode<T>(entry.value));
    page.push_back({std::move(entry.key), std::move(value), entry.revision});
  }
  co_return page;
}

inline constexpr int kUpdateAttempts = 32;
// Waits a little longer after each conflict, so that writers of one key get their turns.
Task<Result<Unit>> pause_before_attempt(int attempt);

// Load, change, save; again when someone else saved meanwhile (errc::kConflict after
// kUpdateAttempts). `change` sees nothing where the key does not exist; what it leaves is stored,
// leaving nothing deletes. It may run several times, so it must only touch its argument; its error
// ends the update.
template <class T>
Task<Result<std::optional<Versioned<T>>>> update(
    Records& records, std::string partition, std::string key,
    std::function<Result<Unit>(std::optional<T>&)> change) {
  for (int attempt = 0;; ++attempt) {
    CO_TRY(co_await pause_before_attempt(attempt));
    CO_TRY_ASSIGN(auto loaded, co_await load<T>(records, partition, key));
    const Revision revision = loaded ? loaded->revision : 0;
    std::optional<T> value;
    if (loaded) value = std::move(loaded->value);
    CO_TRY(change(value));
    if (!value && revision == 0) co_return std::optional<Versioned<T>>();
    Transaction transaction;
    transaction.expect(key, revision);
    if (value)
      transaction.put(key, encode(*value));
    else
      transaction.remove(key);
    auto committed = co_await records.commit(partition, std::move(transaction));
    if (committed && !value) co_return std::optional<Versioned<T>>();
    if (committed)
      co_return std::optional<Versioned<T>>(Versioned<T>{std::move(*value), *committed});
    if (!committed.error().is(errc::kConflict) || attempt + 1 == kUpdateAttempts)
      co_return fail(std::move(committed).error());
  }
}

}  // namespace pileus::store
