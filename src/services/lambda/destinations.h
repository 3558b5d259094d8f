// Destinations: where the records of events that are done with go. One Destination per kind of
// service; app/ adds those that are services of their own. Made once; any loop.
// Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".
#pragma once

#include <map>
#include <memory>

#include "aws/door.h"
#include "services/lambda/async_step.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {

struct Delivery {
  std::string destination;                      // ARN
  std::string body;                             // JSON
  std::string id;                               // the same for every try of one record
  std::string trace;                            // of the event: the chain of calls goes on
  std::shared_ptr<const aws::Identity> sender;  // the function's role; shared with the call
};

class Destination {
 public:
  virtual ~Destination() = default;
  virtual std::string_view action() const = 0;  // that the role needs: "lambda:InvokeFunction"
  // Whether there is such a destination.
  virtual Task<Result<Unit>> check(std::string arn) = 0;
  // Sends in the name of delivery.sender, who is authorized. Once acknowledged it is not lost.
  virtual Task<Result<Unit>> send(Delivery delivery) = 0;
};

class Destinations {
 public:
  // For ARNs of that service ("sqs"). Before the first event.
  void add(std::string service, std::unique_ptr<Destination> destination);
  // nullptr: none that is built.
  Destination* find(std::string_view arn) const;
  Task<Delivered> send(Delivery delivery);

 private:
  std::map<std::string, std::unique_ptr<Destination>, std::less<>> all_;
};

// The record of an event, version 1.0 of AWS's form. A body too large for its destination goes
// without payloads.
std::string destination_record(const AsyncEvent& event, const FunctionRef& ref,
                               std::string_view request, std::string_view response, Time now,
                               std::size_t limit_bytes);
// The id of the record's own delivery, made of the event's.
std::string delivery_id(std::string_view event_id);

}  // namespace pileus::services::lambda
