// Debian's PostgreSQL server in a folder of its own, on a private socket, for as long as the test
// program lives. PostgreSQL refuses root, so root hands over to the user `postgres`. For tests
// only.
#pragma once

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/text.h"
#include "store/test_folder.h"

namespace pileus::store {

class TestPostgres {
 public:
  // "" when it runs; else why not.
  static const std::string& why_missing() { return instance().missing_; }
  // libpq's URL of a fresh schema (which the caller makes: "CREATE SCHEMA <schema>").
  static std::string url(const std::string& schema) {
    return str("postgresql:///postgres?user=postgres&host=", instance().folder_.path(),
               "&options=-csearch_path%3D", schema);
  }

 private:
  static TestPostgres& instance() {
    static TestPostgres server;
    return server;
  }
  TestPostgres() {
    const std::string bin = find_bin();
    if (bin.empty()) {
      missing_ = "PostgreSQL's server is not installed (Debian: apt install postgresql)";
      return;
    }
    const std::string data = folder_.path() + "/data";
    if (const passwd* user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr) {
      user_ = user->pw_uid;
      group_ = user->pw_gid;
      (void)!::chown(folder_.path().c_str(), user_, group_);
    }
    int status = 0;
    const pid_t init = start({bin + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N",
                              "--no-instructions", "-E", "UTF8", "--locale=C"},
                             nullptr);
    if (::waitpid(init, &status, 0) != init || status != 0) {
      missing_ = "initdb failed";
      return;
    }
    int words[2];
    (void)!::pipe(words);
    server_ = start({bin + "/postgres", "-D", data, "-k", folder_.path(), "-c",
                     "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"},
                    words);
    ::close(words[1]);
    wait_until_ready(words[0]);
    words_ = words[0];
  }
  ~TestPostgres() {
    if (server_ > 0) {
      ::kill(server_, SIGQUIT);
      ::waitpid(server_, nullptr, 0);
    }
    if (words_ >= 0) ::close(words_);
  }

  static std::string find_bin() {
    std::string newest;
    std::error_code missing;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", missing))
      if (std::filesystem::exists(version.path() / "bin/initdb"))
        newest = std::max(newest, (version.path() / "bin").string());
    return newest;
  }
  pid_t start(std::vector<std::string> words, const int* errors) {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::geteuid() == 0 && (::setgid(group_) != 0 || ::setuid(user_) != 0)) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // a change of user clears it
    (void)!::freopen("/dev/null", "w", stdout);
    if (errors)
      ::dup2(errors[1], 2);
    else
      (void)!::freopen("/dev/null", "w", stderr);
    if (errors) ::close(errors[0]);
    ::setenv("LC_ALL", "C", 1);
    (void)!::chdir("/");
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  void wait_until_ready(int from) {
    std::string said;
    char bytes[4096];
    while (said.find("ready to accept connections") == std::string::npos) {
      const auto n = ::read(from, bytes, sizeof bytes);
      if (n <= 0) {
        missing_ = "PostgreSQL does not start: " + said;
        return;
      }
      said.append(bytes, static_cast<std::size_t>(n));
    }
  }

  TestFolder folder_;
  std::string missing_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = -1;
  int words_ = -1;
};

}  // namespace pileus::store
