// Edit: what one operation reads and changes, committed as one transaction. Every record it loaded
// is expected to be unchanged, those that were changed in place are written. After a conflict
// commit() gives false and the operation starts over (bounded):
//
//   for (Edit edit(*state_, context);;) {
//     CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:TagUser", name));
//     user->tags["a"] = "b";
//     CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
//     if (saved) co_return TagUserOutput{};
//   }
//
// Pointers it gives live until commit(). One coroutine uses it.
#pragma once

#include "services/iam/arns.h"
#include "services/iam/errors.h"
#include "services/iam/state.h"
#include "store/typed.h"

namespace pileus::services::iam {

// Whether AWS gives the action the boundary of the user or role (service authorization reference).
bool knows_boundary(std::string_view action);

// What authorization conditions an entity itself gives an action on it.
template <class T>
aws::ConditionValues conditions_of(const T& entity, std::string_view action) {
  aws::ConditionValues values;
  constexpr bool kIsIdentity = requires { entity.boundary; };  // a user or a role
  if constexpr (requires { entity.tags; }) {
    for (const auto& [key, value] : entity.tags) {
      values["aws:ResourceTag/" + key] = {value};
      if (kIsIdentity) values["iam:ResourceTag/" + key] = {value};
    }
  }
  if constexpr (kIsIdentity)
    if (!entity.boundary.empty() && knows_boundary(action))
      values["iam:PermissionsBoundary"] = {entity.boundary};
  return values;
}

class Edit {
 public:
  Edit(IamState& state, aws::Context& context) : state_(state), context_(context) {}

  // The record as it is, to be read or changed in place; nullptr where there is none.
  template <class T>
  Task<Result<T*>> find(std::string name) {
    std::string key = key_of<T>(name);
    if (const auto known = items_.find(key); known != items_.end() && known->second.value)
      co_return static_cast<T*>(known->second.value.get());
    CO_TRY_ASSIGN(auto entry, co_await state_.records.get(context_.global_key(), key));
    Item& item = items_[std::move(key)];
    item = {};
    if (!entry) co_return static_cast<T*>(nullptr);
    CO_TRY_ASSIGN(T value, store::decode<T>(entry->value));
    item.revision = entry->revision;
    item.before = std::move(entry->value);
    co_return hold(item, std::move(value));
  }
  // Authorizes `action` on the entity of that name, then gives it; NoSuchEntity where there is
  // none.
  template <class T>
  Task<Result<T*>> open(std::string action, std::string name,
                        aws::ConditionValues conditions = {}) {
    CO_TRY_ASSIGN(T * entity, co_await find<T>(name));
    if (entity) conditions.merge(conditions_of(*entity, action));
    std::string arn = entity ? entity->arn : arn_of<T>(context_, "/", name);
    CO_TRY(co_await context_.authorize(std::move(action), std::move(arn), std::move(conditions)));
    if (!entity) co_return fail(no_such<T>(name));
    co_return entity;
  }
  // A new record; EntityAlreadyExists where one of that name was found or is found at commit.
  template <class T>
  Task<Result<T*>> create(T value) {
    CO_TRY_ASSIGN(T * existing, co_await find<T>(value.name));
    if (existing) co_return fail(already_exists<T>(value.name));
    co_return hold(items_[key_of<T>(value.name)], std::move(value));
  }
  template <class T>
  void remove(const T& entity) {
    items_[key_of<T>(entity.name)].removed = true;
  }
  void put_row(std::string key, std::string value) { rows_[std::move(key)] = std::move(value); }
  void remove_row(std::string key) { rows_[std::move(key)] = std::nullopt; }
  // The row must not exist.
  void expect_no_row(std::string key) { rows_read_[std::move(key)] = 0; }

  // By id; nullptr where there is none.
  Task<Result<GroupRecord*>> find_group(std::string id);

  // The account's own managed policy; nullptr where there is none (AWS's own are in
  // aws_policies.h).
  Task<Result<PolicyRecord*>> find_policy(std::string arn);
  // Authorizes `action` on the policy, then gives it; NoSuchEntity where there is none.
  Task<Result<PolicyRecord*>> open_policy(std::string action, std::string arn,
                                          aws::ConditionValues conditions = {});
  // Indexes (and for the account's own policies counts) that the entity uses the policy, or no
  // more.
  template <class T>
  Task<Result<Unit>> add_use(std::string arn, Usage usage, std::string name) {
    CO_TRY(co_await count_use(arn, usage, +1));
    put_row(uses_row<T>(arn, usage, name), name);
    co_return Unit{};
  }
  template <class T>
  Task<Result<Unit>> drop_use(std::string arn, Usage usage, std::string name) {
    CO_TRY(co_await count_use(arn, usage, -1));
    remove_row(uses_row<T>(arn, usage, name));
    co_return Unit{};
  }
  // All of an entity's uses, for its deletion or renaming.
  template <class T>
  Task<Result<Unit>> drop_uses(const T& entity) {
    const std::string name = entity.name;
    const std::set<std::string> attached = entity.attached;
    for (const auto& arn : attached) CO_TRY(co_await drop_use<T>(arn, Usage::kPolicy, name));
    if constexpr (requires { entity.boundary; })
      if (!entity.boundary.empty())
        CO_TRY(co_await drop_use<T>(entity.boundary, Usage::kBoundary, name));
    co_return Unit{};
  }

  // True: done, and the caches know. False: load and decide again.
  Task<Result<bool>> commit();

  IamState& state() { return state_; }
  aws::Context& context() { return context_; }

 private:
  struct Item {
    store::Revision revision = 0;
    std::string before;           // as it was read; "" where there was none
    std::shared_ptr<void> value;  // of whatever record type; shared_ptr for its type-erased deleter
    std::string (*encode)(const void*) = nullptr;
    // `now` is nullptr for what was removed.
    void (*changed)(IamState&, const void* now, const std::string& before) = nullptr;
    bool removed = false;
  };
  template <class T>
  T* hold(Item& item, T value) {
    auto held = std::make_shared<T>(std::move(value));
    T* pointer = held.get();
    item.value = std::move(held);
    item.encode = [](const void* it) { return store::encode(*static_cast<const T*>(it)); };
    item.changed = [](IamState& state, const void* now, const std::string& before) {
      const auto old = before.empty() ? Result<T>(T{}) : store::decode<T>(before);
      state.changed(old ? *old : T{}, now ? *static_cast<const T*>(now) : T{});
    };
    return pointer;
  }
  std::vector<Item*> collect(store::Transaction& transaction);
  Task<Result<Unit>> count_use(std::string arn, Usage usage, int change);

  IamState& state_;
  aws::Context& context_;
  int attempt_ = 0;
  std::map<std::string, Item> items_;
  std::map<std::string, std::optional<std::string>> rows_;
  std::map<std::string, store::Revision> rows_read_;
};

}  // namespace pileus::services::iam
