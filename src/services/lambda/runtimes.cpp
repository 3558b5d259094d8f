#include "services/lambda/runtimes.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {
namespace fs = std::filesystem;
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// 64 hex digits that follow from `text` (FNV-1a, four times); a name, not a protection.
std::string digits_of(std::string_view text) {
  std::string out;
  for (std::uint64_t part = 0; part < 4; ++part) {
    std::uint64_t hash = 14695981039346656037ull + part;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    char hex[17];
    std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
    out += hex;
  }
  return out;
}

RuntimeKind kind_of(std::string_view name) {
  if (name.starts_with("python")) return RuntimeKind::kPython;
  if (name.starts_with("nodejs")) return RuntimeKind::kNode;
  if (name.starts_with("provided")) return RuntimeKind::kProvided;
  return RuntimeKind::kOther;
}

// python3.11 → 311, nodejs20.x → 2000: so that the nearest can be told.
int version_number(std::string_view name) {
  const auto first = name.find_first_of("0123456789");
  if (first == std::string_view::npos) return 0;
  int major = 0, minor = 0;
  std::sscanf(std::string(name.substr(first)).c_str(), "%d.%d", &major, &minor);
  return major * 100 + minor;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// What a manifest says; nullptr when it does not make sense or its interpreter is gone.
std::shared_ptr<const Runtime> read_manifest(const std::string& path) {
  const std::string text = read_file(path);
  const auto json = parse_json(text);
  auto runtime = std::make_shared<Runtime>();
  runtime->name = json ? find_string(*json, "runtime") : "";
  const Json* argv = json ? find(*json, "argv") : nullptr;
  if (runtime->name.empty() || !argv || !argv->is_array() || argv->get_array().empty())
    return nullptr;
  runtime->kind = kind_of(runtime->name);
  runtime->root = find_string(*json, "root");
  for (const auto& argument : argv->get_array())
    if (argument.is_string()) runtime->argv.emplace_back(argument.get_string());
  if (const Json* mounts = find(*json, "mounts"); mounts && mounts->is_array())
    for (const auto& mount : mounts->get_array())
      runtime->mounts.push_back({std::string(find_string(mount, "source")),
                                 std::string(find_string(mount, "target")), true});
  if (const Json* set = find(*json, "environment"); set && set->is_object())
    for (const auto& [key, value] : set->get_object())
      if (value.is_string()) runtime->environment.emplace_back(key, value.get_string());
  if (const Json* forks = find(*json, "forks"); forks && forks->is_bool())
    runtime->forks = forks->get_bool();
  runtime->version_id = digits_of(text);
  const std::string interpreter(find_string(*json, "interpreter"));
  if (::access((runtime->root + interpreter).c_str(), X_OK) != 0) return nullptr;
  return runtime;
}

}  // namespace

Task<Result<Unit>> Runtimes::discover() {
  std::move_only_function<Result<std::shared_ptr<const Map>>()> work =
      [this]() -> Result<std::shared_ptr<const Map>> {
    return std::make_shared<const Map>(look());
  };
  CO_TRY_ASSIGN(auto found, co_await workers_.run<std::shared_ptr<const Map>>(std::move(work)));
  std::lock_guard lock(mutex_);
  map_ = std::move(found);
  co_return Unit{};
}

std::shared_ptr<const Runtimes::Map> Runtimes::map() const {
  std::lock_guard lock(mutex_);
  return map_;
}

Task<Result<std::shared_ptr<const Runtime>>> Runtimes::find(std::string name) {
  if (!map()) CO_TRY(co_await discover());
  co_return choose(*map(), name);
}

std::vector<std::string> Runtimes::names() const {
  std::vector<std::string> out;
  if (const auto known = map())
    for (const auto& [name, runtime] : *known) out.push_back(name);
  return out;
}

Result<std::shared_ptr<const Runtime>> Runtimes::choose(const Map& map,
                                                        const std::string& name) const {
  if (const auto found = map.find(name); found != map.end()) return found->second;
  std::shared_ptr<const Runtime> nearest;
  std::vector<std::string> here;
  const auto distance = [&](const Runtime& r) {
    return std::abs(version_number(r.name) - version_number(name));
  };
  for (const auto& [other, runtime] : map) {
    here.push_back(other);
    if (runtime->kind != kind_of(name) || runtime->kind == RuntimeKind::kOther) continue;
    if (runtime->kind == RuntimeKind::kProvided) continue;
    if (!nearest || distance(*runtime) < distance(*nearest)) nearest = runtime;
  }
  if (nearest && options_.runtime_choice == RuntimeChoice::kNearest) return nearest;
  const std::string remedy =
      nearest ? str(", or start Pileus with --nearest-runtime to run it on ", nearest->name) : "";
  return fail(invalid(str("The runtime ", name, " is not on this machine, which has ", joined(here),
                          ". Add it with `pileus runtimes add ", name, "`", remedy, ".")));
}

Runtimes::Map Runtimes::look() const {
  Map found;
  for (const char* name : {"provided.al2", "provided.al2023"}) {
    auto runtime = std::make_shared<Runtime>();
    runtime->name = name;
    runtime->environment = {
        {"LANG", "en_US.UTF-8"},
        {"PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"},
        {"LD_LIBRARY_PATH", "/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"}};
    runtime->version_id = digits_of(name);
    found.emplace(name, std::move(runtime));
  }
  std::error_code why;
  for (const auto& entry : fs::directory_iterator(options_.runtimes_directory, why)) {
    const std::string path = entry.path().string() + "/manifest.json";
    if (!fs::exists(path, why)) continue;
    if (auto runtime = read_manifest(path))
      found.insert_or_assign(runtime->name, runtime);
    else
      log::warn("a runtime is not usable: its manifest is broken or its interpreter is gone",
                {{"file", path}});
  }
  return found;
}

}  // namespace pileus::services::lambda
