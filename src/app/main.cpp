// The `pileus` program: the command line, and nothing else.
#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/options.h"
#include "app/terminal.h"

namespace {

using namespace pileus::app;

constexpr const char* kCompletion = R"sh(_pileus() {
  local commands="serve status logs bill debug clock env reset runtimes completion"
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W "$commands --help --version" -- "${COMP_WORDS[1]}"))
  else
    local options=$(pileus "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '--[a-z-]+')
    COMPREPLY=($(compgen -W "$options" -- "${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -F _pileus pileus)sh";

void add_target(CLI::App* command, Target& target) {
  command->add_option("--listen", target.listen, "HOST:PORT of the running server")
      ->capture_default_str();
  command->add_option("--account", target.account, "account (12 digits)")->capture_default_str();
  command->add_option("--region", target.region, "region")->capture_default_str();
}

CLI::App* add_serve(CLI::App& program, ServeOptions& options) {
  auto* serve = program.add_subcommand("serve", "Run the cloud until Ctrl-C");
  serve
      ->add_option("--listen", options.listen,
                   "HOST:PORT to listen on; may be given again. Beyond loopback only known access "
                   "keys count")
      ->capture_default_str();
  serve->add_option("--data", options.data, "directory that keeps everything")
      ->default_str(default_data_dir());
  serve->add_option("--account", options.account, "the default account")
      ->check([](const std::string& text) {
        return text.size() == 12 && text.find_first_not_of("0123456789") == std::string::npos
                   ? std::string()
                   : std::string("an account id has 12 digits");
      })
      ->capture_default_str();
  serve->add_option("--region", options.region, "the default region")->capture_default_str();
  serve
      ->add_option_function<std::string>(
          "--clock", [&](const std::string& kind) { options.manual_clock = kind == "manual"; },
          "the cloud's time: real, or moved by `pileus clock advance`")
      ->check(CLI::IsMember({"real", "manual"}))
      ->default_str("real");
  serve
      ->add_option_function<std::string>(
          "--quotas", [&](const std::string& kind) { options.aws_quotas = kind == "aws"; },
          "AWS's default account quotas, or none")
      ->check(CLI::IsMember({"aws", "none"}))
      ->default_str("none");
  serve
      ->add_option_function<std::string>(
          "--durability", [&](const std::string& kind) { options.power_safe = kind == "power"; },
          "what an answer survives: loss of power, or only the end of the process (faster)")
      ->check(CLI::IsMember({"power", "process"}))
      ->default_str("power");
  serve->add_option("--threads", options.threads, "event loops; 0 is one per core")
      ->capture_default_str();
  serve->add_option("--runtimes", options.runtimes, "directory of the Lambda runtimes");
  serve->add_flag("--nearest-runtime", options.nearest_runtime,
                  "run a function whose runtime is missing on the nearest version of its language");
  serve
      ->add_option("--prewarm", options.prewarm,
                   "prepared environments kept per runtime in use; 0 is none")
      ->capture_default_str();
  serve
      ->add_option("--max-environments", options.max_environments,
                   "environments of functions at a time; beyond, events wait up to a minute")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  serve->add_option("--prices", options.prices,
                    "a price list of your own (JSON) for `pileus bill`");
  serve->add_option("--allow-host", options.allowed_hosts,
                    "further names under which this machine is called (.suffix for all below)");
  serve->add_option("--allow-origin", options.allowed_origins,
                    "web pages that may call (http://localhost:3000)");
  serve->add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  return serve;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("Pileus: a cloud of your own, behind the AWS APIs.", "pileus");
  program.set_version_flag("--version", std::string("pileus ") + kVersion);
  program.require_subcommand(1);
  program.failure_message(CLI::FailureMessage::simple);

  ServeOptions options;
  Target target;
  target.listen = std::getenv("PILEUS_LISTEN") ? std::getenv("PILEUS_LISTEN") : kDefaultListen;
  auto* serve_command = add_serve(program, options);

  auto* status =
      program.add_subcommand("status", "What the server may do here, what it holds, what runs");
  auto* bill =
      program.add_subcommand("bill", "What it would have cost on AWS, by function and day");
  auto* env = program.add_subcommand("env", "Print what to export: eval \"$(pileus env)\"");
  auto* reset = program.add_subcommand("reset", "Empty the cloud: every account, every region");
  for (auto* command : {status, bill, env, reset}) add_target(command, target);

  LogsQuery query;
  auto* logs = program.add_subcommand("logs", "Print a function's or a log group's events");
  add_target(logs, target);
  logs->add_option("group", query.group, "function name or log group; none lists the groups");
  logs->add_flag("--tail,-f", query.tail, "go on as events arrive");
  logs->add_option("--since", query.since, "how far back: 90s, 10m, 2h, 1d")->capture_default_str();
  logs->add_option("--filter", query.filter, "a CloudWatch Logs filter pattern");

  DebugQuery debug;
  auto* debug_command = program.add_subcommand(
      "debug", "Let a debugger into a function (Node.js, Python) until Ctrl-C");
  add_target(debug_command, target);
  debug_command->add_option("function", debug.function, "its name")->required();
  debug_command->add_option("--port", debug.port, "of 127.0.0.1; 0 is any")->capture_default_str();

  auto* clock = program.add_subcommand("clock", "The cloud's time");
  add_target(clock, target);
  std::string by;
  auto* advance =
      clock->add_subcommand("advance", "Move it forward; everything due fires in order");
  advance->add_option("by", by, "30s, 5m, 2h, 1d")->required();

  std::string runtime, runtimes;
  auto* runtime_command = program.add_subcommand("runtimes", "The Lambda runtimes of this machine");
  add_target(runtime_command, target);
  auto* add =
      runtime_command->add_subcommand("add", "Add a runtime from Debian's or npm's packages");
  add->add_option("name", runtime, "python3.13, nodejs22.x …")->required();
  add->add_option("--runtimes", runtimes, "directory of the Lambda runtimes");

  auto* completion =
      program.add_subcommand("completion", "Shell completion: source <(pileus completion)");

  CLI11_PARSE(program, argc, argv);
  if (*serve_command) return serve(options);
  if (*status) return print_status(target);
  if (*bill) return print_bill(target);
  if (*env) return print_env(target);
  if (*reset) return reset_cloud(target);
  if (*logs) return print_logs(target, query);
  if (*debug_command) return debug_function(target, debug);
  if (*advance) return advance_clock(target, by);
  if (*clock) return print_clock(target);
  if (*add) return add_runtime(runtimes, runtime);
  if (*runtime_command) return list_runtimes(target);
  if (*completion) print(kCompletion);
  return 0;
}
