#include "app/commands.h"

#include <csignal>
#include <cstdio>
#include <set>

#include "app/ask.h"
#include "app/terminal.h"
#include "base/text.h"

namespace pileus::app {

namespace {

int complain_about(const Error& error) { return complain(error.message(), ""); }

// 1234567 bytes → "1.2 MB".
std::string human_bytes(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string money(double dollars) {
  char text[32];
  std::snprintf(text, sizeof text, dollars != 0 && dollars < 0.01 ? "$%.8f" : "$%.4f", dollars);
  return text;
}

double number(const Json& object, std::string_view key) {
  const Json* member = find(object, key);
  if (!member) return 0;
  if (member->is_double()) return member->get_double();
  return static_cast<double>(find_int(object, key));
}

std::string shown(const Json& value) {
  return value.is_string() ? std::string(value.get_string()) : to_text(value);
}

}  // namespace

std::int64_t parse_duration_us(const std::string& text) {
  std::int64_t total = 0, value = 0;
  bool digits = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = value * 10 + (c - '0');
      digits = true;
      if (value > 10'000'000) return 0;
      continue;
    }
    const std::int64_t unit = c == 's' ? 1 : c == 'm' ? 60 : c == 'h' ? 3600 : c == 'd' ? 86400 : 0;
    if (unit == 0 || !digits) return 0;
    total += value * unit * 1'000'000;
    value = 0;
    digits = false;
  }
  return digits ? 0 : total;
}

int print_env(const Target& target) {
  print(str("export AWS_ENDPOINT_URL=http://", target.listen, "\n",
            "export AWS_ACCESS_KEY_ID=", target.account, "\n",
            "export AWS_SECRET_ACCESS_KEY=pileus\n", "export AWS_DEFAULT_REGION=", target.region,
            "\n", "export AWS_REGION=", target.region, "\n", "export AWS_PAGER="));
  return 0;
}

int print_status(const Target& target) {
  const auto status = ask_admin(target, "GET", "status");
  if (!status) return complain_about(status.error());
  std::vector<std::vector<std::string>> rows;
  for (const auto& [section, content] : status->as_object()) {
    if (content.is_object()) {
      print(bold(section));
      std::vector<std::vector<std::string>> cells;
      for (const auto& [key, value] : content.get_object()) {
        std::string name = replace_all(key, "_", " ");
        if (name.ends_with(" bytes"))
          cells.push_back({name.substr(0, name.size() - 6),
                           human_bytes(value.is_int64() ? value.get_int64() : 0)});
        else if (value.is_array()) {
          bool first = true;
          for (const auto& item : value.get_array())
            cells.push_back({std::exchange(first, false) ? name : "", shown(item)});
          if (first) cells.push_back({name, "none"});
        } else
          cells.push_back({name, value.is_bool() ? (value.get_bool() ? green("yes") : red("no"))
                                                 : shown(value)});
      }
      for (const auto& row : cells) {
        std::string line = "  " + row[0];
        line.append(line.size() < 26 ? 26 - line.size() : 1, ' ');
        print(line + row[1]);
      }
    } else {
      print(str(bold(section), "  ", shown(content)));
    }
  }
  return 0;
}

int print_bill(const Target& target) {
  const auto bill =
      ask_admin(target, "GET", str("bill?account=", target.account, "&region=", target.region));
  if (!bill) return complain_about(bill.error());
  std::vector<std::vector<std::string>> rows = {
      {"day", "function", "requests", "GB-seconds", "cost"}};
  if (const Json* lines = find(*bill, "lines"); lines && lines->is_array())
    for (const auto& line : lines->get_array()) {
      char gb_seconds[32];
      std::snprintf(gb_seconds, sizeof gb_seconds, "%.3f",
                    number(line, "gb_seconds") + number(line, "provisioned_gb_seconds"));
      rows.push_back(
          {std::string(find_string(line, "day")), std::string(find_string(line, "function")),
           std::to_string(find_int(line, "requests")), gb_seconds, money(number(line, "cost"))});
    }
  if (rows.size() == 1) {
    print("Nothing was used yet: no bill.");
    return 0;
  }
  print(table(rows));
  const double free = number(*bill, "free_tier");
  const Json* applies = find(*bill, "free_tier_applies");
  const bool taken = applies && applies->is_bool() && applies->get_bool();
  std::string note = taken
                         ? str("   (after ", money(free), " of the free tier)")
                         : str("   (list prices; the free tier would take off ", money(free), ")");
  print(str("  total ", bold(money(number(*bill, "total"))), dim(note)));
  return 0;
}

int debug_function(const Target& target, const DebugQuery& query) {
  JsonObject body;
  body["function"] = query.function;
  body["account"] = target.account;
  body["region"] = target.region;
  body["port"] = query.port;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto started = ask_admin(target, "POST", "debug", to_text(body));
  if (!started) return complain_about(started.error());
  print(str("The next event of ", bold(query.function), " waits for a debugger at ",
            bold(str("127.0.0.1:", find_int(*started, "port"))), ".\n",
            dim("  Node.js: attach Chrome (chrome://inspect) or VS Code. Python: attach VS Code; "
                "debugpy must be in the function.\n"
                "  Nothing of it times out meanwhile. Ctrl-C ends it.")));
  int number = 0;
  sigwait(&signals, &number);
  body["stop"] = true;
  const auto stopped = ask_admin(target, "POST", "debug", to_text(body));
  return stopped ? 0 : complain_about(stopped.error());
}

int reset_cloud(const Target& target) {
  const auto answer = ask_admin(target, "POST", "reset");
  if (!answer) return complain_about(answer.error());
  char line[64];
  std::snprintf(line, sizeof line, "Empty again, in %.1f ms.", number(*answer, "took_ms"));
  print(line);
  return 0;
}

int print_clock(const Target& target) {
  const auto answer = ask_admin(target, "GET", "clock");
  if (!answer) return complain_about(answer.error());
  print(str(find_string(*answer, "now"), "  (", find_string(*answer, "kind"), ")"));
  return 0;
}

int advance_clock(const Target& target, const std::string& by) {
  const auto microseconds = parse_duration_us(by);
  if (microseconds <= 0)
    return complain(str("'", by, "' is no duration"), "Say for example 30s, 5m, 2h30m or 1d.");
  JsonObject body;
  body["by_us"] = microseconds;
  const auto answer = ask_admin(target, "POST", "clock", to_text(body));
  if (!answer) return complain_about(answer.error());
  print(str("It is ", find_string(*answer, "now"), " now."));
  return 0;
}

int list_runtimes(const Target& target) {
  const auto answer = ask_admin(target, "GET", "runtimes");
  if (!answer) return complain_about(answer.error());
  if (const Json* list = find(*answer, "runtimes"); list && list->is_array())
    for (const auto& name : list->get_array()) print(str("  ", shown(name)));
  print(dim("  more: pileus runtimes add python3.13, pileus runtimes add nodejs22.x"));
  return 0;
}

namespace {

std::string group_of(const std::string& name) {
  return name.starts_with("/") || name.find('/') != std::string::npos ? name
                                                                      : "/aws/lambda/" + name;
}

int list_groups(const Target& target) {
  JsonObject input;
  std::vector<std::vector<std::string>> rows = {{"log group", "stored"}};
  for (;;) {
    const auto page = ask_aws(target, "logs", "Logs_20140328.DescribeLogGroups", input);
    if (!page) return complain_about(page.error());
    if (const Json* groups = find(*page, "logGroups"); groups && groups->is_array())
      for (const auto& group : groups->get_array())
        rows.push_back({std::string(find_string(group, "logGroupName")),
                        human_bytes(find_int(group, "storedBytes"))});
    const auto next = find_string(*page, "nextToken");
    if (next.empty()) break;
    input["nextToken"] = next;
  }
  if (rows.size() == 1)
    print("No log groups yet: they appear with the first invocation of a function.");
  else
    print(table(rows));
  return 0;
}

}  // namespace

int print_logs(const Target& target, const LogsQuery& query) {
  if (query.group.empty()) return list_groups(target);
  const auto back = parse_duration_us(query.since);
  if (back <= 0)
    return complain(str("--since '", query.since, "' is no duration"),
                    "Say for example 30s, 5m, 2h or 1d.");
  const auto clock = ask_admin(target, "GET", "clock");
  if (!clock) return complain_about(clock.error());
  std::int64_t from = find_int(*clock, "now_ms") - back / 1000;
  std::set<std::string> newest;  // ids of the events at `from`: printed already
  std::int64_t seen = 0;
  std::signal(SIGPIPE, SIG_DFL);
  for (;;) {
    JsonObject input;
    input["logGroupName"] = group_of(query.group);
    input["startTime"] = from;
    if (!query.filter.empty()) input["filterPattern"] = query.filter;
    for (;;) {
      const auto page = ask_aws(target, "logs", "Logs_20140328.FilterLogEvents", input);
      if (!page) return complain_about(page.error());
      if (const Json* events = find(*page, "events"); events && events->is_array())
        for (const auto& event : events->get_array()) {
          const auto time = find_int(event, "timestamp");
          const std::string id(find_string(event, "eventId"));
          if (newest.contains(id)) continue;
          if (time > from) newest.clear();
          from = std::max(from, time);
          newest.insert(id);
          std::string message(find_string(event, "message"));
          while (message.ends_with('\n')) message.pop_back();
          print(str(dim(iso8601_millis(from_millis(time))), "  ", message));
        }
      const auto next = find_string(*page, "nextToken");
      if (next.empty()) break;
      input["nextToken"] = next;
    }
    if (!query.tail) return 0;
    // Waits for something new; the count is taken before the events are read, so none is missed.
    const auto waited =
        ask_admin(target, "GET",
                  str("wait-for-logs?account=", target.account, "&region=", target.region,
                      "&seen=", seen, "&group=", percent_encode(group_of(query.group))));
    if (!waited) return complain_about(waited.error());
    seen = find_int(*waited, "seen");
  }
}

}  // namespace pileus::app
