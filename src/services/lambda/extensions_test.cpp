// Extensions and telemetry through the service, with the fake driver: the extension is a thread
// that speaks the APIs over a real socket.
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "services/lambda/extensions.h"
#include "services/lambda/frames.h"
#include "services/lambda/programs.h"
#include "services/lambda/telemetry_subscription.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

constexpr auto tail = [](gen::lambda::InvokeInput& in) { in.log_type = "Tail"; };
const std::string kApi = "/2020-01-01/extension/";

std::string log_of(const Result<gen::lambda::InvokeOutput>& out) {
  return from_base64(out->log_result.value_or("")).value_or("");
}
std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

class Client {
 public:
  explicit Client(const std::shared_ptr<sandbox::FakeWorkload>& workload)
      : connection_(workload->port("runtime")) {}
  std::string enroll(const std::string& name, const std::string& events) {
    const auto answer = connection_.ask("POST", kApi + "register", R"({"events":)" + events + "}",
                                        "Lambda-Extension-Name: " + name + "\r\n");
    id_ = ApiConnection::header(answer, "Lambda-Extension-Identifier");
    return answer;
  }
  std::string next() {
    return body_of(connection_.ask("GET", kApi + "event/next", "", identity()));
  }
  std::string post(const std::string& path, const std::string& more = "") {
    return connection_.ask("POST", kApi + path, "{}", identity() + more);
  }
  std::string subscribe(const std::string& body) {
    return connection_.ask("PUT", "/2022-07-01/telemetry", body, identity());
  }

 private:
  std::string identity() const { return "Lambda-Extension-Identifier: " + id_ + "\r\n"; }
  ApiConnection connection_;
  std::string id_;
};

// An internal extension is whoever registers from within the runtime.
struct Internal {
  std::unique_ptr<Client> client;
  std::thread thread;
  ~Internal() {
    if (thread.joinable()) thread.join();
  }
};

TEST(Extensions, Answers_say_what_is_wrong_in_aws_words) {
  SeededRandom random{1};
  Extensions extensions(random);
  EXPECT_EQ(extensions.enroll("", {}).error().code(), "Extension.InvalidExtensionName");
  EXPECT_EQ(extensions.enroll("i", {"SHUTDOWN"}).error().code(), "Extension.InvalidEventType");
  EXPECT_EQ(extensions.enroll("i", {"SNAP"}).error().message(), "SNAP: invalid event type");
  ASSERT_TRUE(extensions.enroll("i", {"INVOKE"}));
  EXPECT_EQ(extensions.enroll("i", {"INVOKE"}).error().code(), "Extension.InvalidExtensionState");
  EXPECT_EQ(extensions.find("").error().code(), "Extension.MissingHeader");
  EXPECT_EQ(extensions.find("x").error().code(), "Extension.InvalidExtensionIdentifier");
  EXPECT_EQ(extensions.find(uuid(random)).error().code(), "Extension.UnknownExtensionIdentifier");
  for (std::size_t i = 1; i < kMaxExtensions; ++i)
    ASSERT_TRUE(extensions.enroll("i" + std::to_string(i), {}));
  EXPECT_EQ(extensions.enroll("more", {}).error().code(), "Extension.TooManyExtensions");
  extensions.close();
  EXPECT_EQ(extensions.enroll("late", {}).error().code(), "Extension.RegistrationClosed");
}

TEST(Extensions, All_are_settled_when_each_waits_and_has_no_event_left) {
  SeededRandom random{1};
  Extensions extensions(random);
  EXPECT_TRUE(extensions.settled());
  extensions.started("outer", 1);
  EXPECT_FALSE(extensions.enrolled());
  auto outer = extensions.enroll("outer", {"INVOKE", "SHUTDOWN"});
  ASSERT_TRUE(outer);
  EXPECT_TRUE(extensions.enrolled());
  EXPECT_FALSE(extensions.settled());
  Completion<std::string> first, second;
  ASSERT_TRUE(extensions.next(**outer, first.completer()));
  EXPECT_TRUE(extensions.settled());
  extensions.invoke("event");
  EXPECT_FALSE(extensions.settled());
  ASSERT_TRUE(extensions.next(**outer, second.completer()));
  EXPECT_TRUE(extensions.settled());
  EXPECT_TRUE(extensions.shutdown("bye").empty());
  EXPECT_FALSE(extensions.ended());
}

TEST(Extensions, An_internal_one_gets_every_event_and_its_time_counts) {
  Internal internal;  // its thread ends with the bed
  std::mutex mutex;
  std::vector<std::string> events;
  Bed bed;
  bed.driver.on_assign([&](std::shared_ptr<sandbox::FakeWorkload> workload) {
    internal.client = std::make_unique<Client>(workload);
    internal.thread = std::thread([&, workload] {  // not on the loop, which serves it
      const auto answer = internal.client->enroll("inner", R"(["INVOKE"])");
      EXPECT_NE(answer.find(R"({"functionName":"f","functionVersion":"$LATEST")"),
                std::string::npos)
          << answer;
      bed.actors.act(workload);
      for (;;) {
        const auto event = internal.client->next();
        std::unique_lock lock(mutex);
        if (event.find("INVOKE") == std::string::npos) return;
        events.push_back(event);
      }
    });
  });
  ASSERT_TRUE(bed.create("f"));
  auto out = bed.invoke("f", "{}", tail);
  ASSERT_TRUE(out) << out.error().message();
  ASSERT_TRUE(bed.invoke("f"));
  {
    std::unique_lock lock(mutex);
    ASSERT_EQ(events.size(), 2u);
    const auto event = parse_json(events[0]);
    ASSERT_TRUE(event);
    EXPECT_EQ(find_string(*event, "invokedFunctionArn"),
              "arn:aws:lambda:us-east-1:000000000000:function:f");
    EXPECT_EQ(find_string(*find(*event, "tracing"), "type"), "X-Amzn-Trace-Id");
    EXPECT_GT(find_int(*event, "deadlineMs"), 0);
  }
  bed.eventually([&] { return bed.log_sink.lines().size() >= 8; });
  EXPECT_EQ(bed.log_sink.lines().at(1), "EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]\n");
}

TEST(Programs, Are_found_in_the_folders_mounted_there) {
  store::TestFolder folder;
  const std::string top = folder.path() + "/top";
  std::filesystem::create_directories(top + "/extensions/lib");
  std::ofstream(top + "/extensions/b") << "x";
  std::ofstream(top + "/extensions/a") << "x";
  std::ofstream(top + "/bootstrap") << "x";
  const std::vector<sandbox::Mount> mounts = {{folder.path(), "/var/task", true},
                                              {top, "/opt", true}};
  EXPECT_EQ(extension_programs(mounts), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(bootstrap_program(mounts), "/opt/bootstrap");
  EXPECT_EQ(bootstrap_program({}), "/var/task/bootstrap");
  EXPECT_TRUE(extension_programs({}).empty());
}

TEST(Telemetry, A_subscription_is_checked_as_aws_does) {
  const auto wrong = parse_subscription(
      TelemetryApi::kTelemetry, "e",
      R"({"schemaVersion":"2022-12-13","types":[],"destination":{"protocol":"HTTP","URI":"http://sandbox"}})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), "ValidationError");
  EXPECT_EQ(wrong.error().message(), "types should not be empty; URI port is not provided");
  const auto bounds = parse_subscription(
      TelemetryApi::kLogs, "e",
      R"({"types":["platform"],"buffering":{"maxItems":1,"maxBytes":1,"timeoutMs":24},)"
      R"("destination":{"protocol":"TCP","port":9001}})");
  ASSERT_FALSE(bounds);
  EXPECT_EQ(bounds.error().message(),
            "maxItems must be between 1000 and 10000; maxBytes must be between 262144 and 1048576; "
            "timeoutMs must be between 25 and 30000; port 9001 is reserved");
  const auto good = parse_subscription(
      TelemetryApi::kTelemetry, "e",
      R"({"schemaVersion":"2022-12-13","types":["function","extension"],"buffering":{"timeoutMs":25},)"
      R"("destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/logs"}})");
  ASSERT_TRUE(good) << good.error().message();
  EXPECT_EQ(good->path, "/logs");
  EXPECT_EQ(good->port, 8080);
  EXPECT_TRUE(good->structured);
  EXPECT_FALSE(good->wants(TelemetryKind::kPlatform));
  EXPECT_EQ(good->max_bytes, 262'144u);
}

TEST(Frames, Are_events_of_any_number_of_lines_with_their_level) {
  const auto frame = [](std::uint32_t type, std::string_view message) {
    std::string out;
    const auto number = [&](std::uint32_t value) {
      for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
    };
    number(type);
    number(static_cast<std::uint32_t>(message.size()));
    if (type & 2) out.append(8, '\0');
    return out + std::string(message);
  };
  FrameReader reader;
  const std::string bytes =
      frame(0xA55A0003, "one\ntwo") + frame(0xA55A000E, "{}") + frame(0xA55A0001, "old");
  for (const char byte : bytes) reader.add(std::string_view(&byte, 1));
  auto first = reader.next(), second = reader.next(), third = reader.next();
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->message, "one\ntwo");
  EXPECT_EQ(first->level, LogLevel::kNone);
  EXPECT_FALSE(first->json);
  EXPECT_TRUE(second->json);
  EXPECT_EQ(second->level, LogLevel::kInfo);
  EXPECT_EQ(third->message, "old");
  EXPECT_FALSE(reader.next());
  reader.add("plain text\nrest");
  EXPECT_EQ(reader.next()->message, "plain text\n");
  EXPECT_EQ(reader.take_rest(), "rest");
}

TEST(Telemetry, Batches_reach_who_subscribed_and_what_came_before_it_did) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(::listen(listener, 16), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size);
  std::mutex mutex;
  std::string got;
  Internal sink, internal;
  sink.thread = std::thread([&] {  // lines over TCP, one connection
    const int connection = ::accept(listener, nullptr, nullptr);
    char buffer[4096];
    for (ssize_t n; (n = ::recv(connection, buffer, sizeof buffer, 0)) > 0;) {
      std::lock_guard lock(mutex);
      got.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(connection);
    ::close(listener);
  });
  Bed bed;
  bed.driver.on_assign([&](std::shared_ptr<sandbox::FakeWorkload> workload) {
    internal.client = std::make_unique<Client>(workload);
    internal.thread = std::thread([&, workload] {
      internal.client->enroll("inner", R"(["INVOKE"])");
      const auto answer = internal.client->subscribe(
          str(R"({"schemaVersion":"2022-12-13","types":["platform","function"],"buffering":)",
              R"({"timeoutMs":25},"destination":{"protocol":"TCP","port":)", ntohs(where.sin_port),
              "}}"));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
      bed.actors.act(workload);
      while (internal.client->next().find("INVOKE") != std::string::npos) {
      }
    });
  });
  bed.actors.on_event = [](const Event&) {
    return Reply{Reply::Kind::kAnswer, "{}", {}, "said\n"};
  };
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f"));
  const auto has = [&](std::string_view text) {
    std::lock_guard lock(mutex);
    return got.find(text) != std::string::npos;
  };
  bed.eventually([&] {
    (void)bed.invoke("f");  // between events an environment is frozen
    return has("platform.report");
  });
  for (const char* type :
       {"platform.initStart", "platform.telemetrySubscription", "platform.initRuntimeDone",
        "platform.initReport", "platform.start", "platform.runtimeDone", "platform.extension"})
    EXPECT_TRUE(has(type)) << type;
  EXPECT_TRUE(has(R"("type":"function","record":"said"})")) << got;
  EXPECT_FALSE(has("platform.end")) << "only of the Logs API";
}

}  // namespace
}  // namespace pileus::services::lambda::testing
