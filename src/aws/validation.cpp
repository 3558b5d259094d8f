#include "aws/validation.h"

#include <algorithm>

#include "aws/patterns.h"
#include "aws/protocol/path.h"
#include "aws/protocol/values.h"
#include "base/text.h"

namespace pileus::aws {

namespace {

using protocol::Path;

bool holds_constraints(const Constraint& c) {
  return c.min != Constraint::kNoMin || c.max != Constraint::kNoMax || c.pattern ||
         !c.values.empty();
}

// A value as the services repeat it; nullopt where they do not (secrets, structures).
std::optional<std::string> echo(const Shape& shape, const void* value) {
  if (shape.sensitive) return std::nullopt;
  std::string out;
  switch (shape.kind) {
    case Kind::kStructure:
    case Kind::kDocument:
      return std::nullopt;
    case Kind::kBlob: {
      const auto size = static_cast<const std::string*>(value)->size();
      return str("java.nio.HeapByteBuffer[pos=0 lim=", size, " cap=", size, "]");
    }
    case Kind::kList:
      for (std::size_t i = 0; i < shape.list->size(value) && out.size() < kMaxEchoBytes; ++i) {
        const void* element = protocol::list_element(shape, value, i);
        const auto text =
            element ? echo(*shape.element, element) : std::optional<std::string>("null");
        if (!text) return std::nullopt;
        out += (i ? ", " : "") + *text;
      }
      out = "[" + out + "]";
      break;
    case Kind::kMap: {
      bool shown = true;
      protocol::for_each_entry(shape, value, [&](const std::string& key, const void* element) {
        if (out.size() > kMaxEchoBytes) return;
        const auto text =
            element ? echo(*shape.element, element) : std::optional<std::string>("null");
        shown = shown && text;
        if (text) out += (out.empty() ? "" : ", ") + key + "=" + *text;
      });
      if (!shown || (shape.key && shape.key->sensitive)) return std::nullopt;
      out = "{" + out + "}";
      break;
    }
    default:
      protocol::append_scalar(out, shape, TimestampFormat::kIso8601, value);
  }
  if (out.size() <= kMaxEchoBytes) return out;
  std::size_t end = kMaxEchoBytes;
  while (end > 0 && (out[end] & 0xc0) == 0x80) --end;  // not within a character
  return out.substr(0, end) + "...";
}

std::string enum_set(const Constraint& c) {
  std::string out = "Member must satisfy enum value set: [";
  for (std::size_t i = 0; i < c.values.size(); ++i)
    out += (i ? ", " : "") + std::string(c.values[i]);
  return out + "]";
}

struct Broken {
  const char* check;
  std::string rule;  // "Member must have length …"
};

const char* measure(const Shape& shape) {
  return shape.kind >= Kind::kInteger && shape.kind <= Kind::kDouble ? "value" : "length";
}
std::string at_most(const Shape& shape) {
  return str("Member must have ", measure(shape), " less than or equal to ", shape.constraint.max);
}
std::string at_least(const Shape& shape) {
  return str("Member must have ", measure(shape), " greater than or equal to ",
             shape.constraint.min);
}
std::string of_pattern(const Shape& shape) {
  return str("Member must satisfy regular expression pattern: ", shape.constraint.pattern);
}

// The rules of a value's own shape that do not hold.
std::vector<Broken> broken_rules(const Shape& shape, const void* value) {
  const Constraint& c = shape.constraint;
  std::vector<Broken> out;
  if (!holds_constraints(c)) return out;
  double size = 0;
  const char* check = "length";
  switch (shape.kind) {
    case Kind::kString:
      size = static_cast<double>(utf8_length(*static_cast<const std::string*>(value)));
      break;
    case Kind::kBlob:
      size = static_cast<double>(static_cast<const std::string*>(value)->size());
      break;
    case Kind::kList:
      size = static_cast<double>(shape.list->size(value));
      break;
    case Kind::kMap:
      size = static_cast<double>(shape.map->size(value));
      break;
    case Kind::kInteger:
      size = *static_cast<const std::int32_t*>(value);
      check = "range";
      break;
    case Kind::kLong:
      size = static_cast<double>(*static_cast<const std::int64_t*>(value));
      check = "range";
      break;
    case Kind::kFloat:
      size = static_cast<double>(*static_cast<const float*>(value));
      check = "range";
      break;
    case Kind::kDouble:
      size = *static_cast<const double*>(value);
      check = "range";
      break;
    default:
      return out;
  }
  if (c.max != Constraint::kNoMax && size > static_cast<double>(c.max))
    out.push_back({check, at_most(shape)});
  if (c.min != Constraint::kNoMin && size < static_cast<double>(c.min))
    out.push_back({check, at_least(shape)});
  if (shape.kind != Kind::kString) return out;
  const auto& text = *static_cast<const std::string*>(value);
  if (c.pattern && !pattern_matches(c.pattern, text)) out.push_back({"pattern", of_pattern(shape)});
  if (!c.values.empty() && std::find(c.values.begin(), c.values.end(), text) == c.values.end())
    out.push_back({"enum", enum_set(c)});
  return out;
}

// All rules of an element, in the order the services list them.
std::string element_rules(const Shape& shape) {
  std::vector<std::string> rules;
  if (shape.constraint.max != Constraint::kNoMax) rules.push_back(at_most(shape));
  if (shape.constraint.min != Constraint::kNoMin) rules.push_back(at_least(shape));
  if (shape.constraint.pattern) rules.push_back(of_pattern(shape));
  if (!shape.constraint.values.empty()) rules.push_back(enum_set(shape.constraint));
  std::string out = "[";
  for (const auto& rule : rules) out += (out.size() > 1 ? ", " : "") + rule;
  return out + "]";
}

// "Environment.Variables": the model's names, as the exceptions are written.
std::string model_path(const Path& path) {
  if (path.step == Path::Step::kRoot) return {};
  std::string out = model_path(*path.parent);
  if (path.step != Path::Step::kMember) return out;
  if (!out.empty()) out += '.';
  return out + std::string(path.name);
}

class Validation {
 public:
  Validation(const Service& service, const Operation& operation)
      : service_(service), operation_(operation) {}

  void missing(const std::string& path) {
    add(str("Value null at '", path, "' failed to satisfy constraint: Member must not be null"));
  }

  void structure(const Shape& shape, const void* value, const Path& path) {
    for (const auto& member : shape.members)
      if (const void* item = value_of(value, member))
        this->value(*member.shape, item, path.member(member.name));
  }

  Result<Unit> result() {
    if (!whole_.empty()) return fail(service_.validation.code, whole_);
    if (violations_.empty()) return Unit{};
    std::string message =
        str(violations_.size(),
            violations_.size() == 1 ? " validation error" : " validation errors", " detected: ");
    for (std::size_t i = 0; i < violations_.size(); ++i)
      message += (i ? "; " : "") + violations_[i];
    return fail(service_.validation.code, message);
  }

 private:
  void value(const Shape& shape, const void* v, const Path& path) {
    if (violations_.size() >= kMaxViolations) return;
    for (const auto& broken : broken_rules(shape, v))
      report(broken.check, broken.rule, shape, shape, v, path);
    if (shape.kind == Kind::kStructure) structure(shape, v, path);
    if (shape.kind == Kind::kList) list(shape, v, path);
    if (shape.kind == Kind::kMap) map(shape, v, path);
  }

  // What is wrong with an element is said of the list: "Member must satisfy constraint: […]".
  void list(const Shape& shape, const void* v, const Path& path) {
    const Shape& element = *shape.element;
    const bool plain = element.kind < Kind::kDocument;
    if (plain && !holds_constraints(element.constraint)) return;
    for (std::size_t i = 0; i < shape.list->size(v); ++i) {
      const void* item = protocol::list_element(shape, v, i);
      if (!item) continue;
      if (!plain) {
        value(element, item, path.element(i));
      } else if (const auto broken = broken_rules(element, item); !broken.empty()) {
        return report(broken[0].check, "Member must satisfy constraint: " + element_rules(element),
                      element, shape, v, path);
      }
    }
  }

  void map(const Shape& shape, const void* v, const Path& path) {
    const Shape& element = *shape.element;
    bool keys = true, values = true;
    protocol::for_each_entry(shape, v, [&](const std::string& key, const void* item) {
      if (const auto broken = broken_rules(*shape.key, &key); keys && !broken.empty()) {
        keys = false;
        report(broken[0].check, "Map keys must satisfy constraint: " + element_rules(*shape.key),
               *shape.key, shape, v, path);
      }
      if (!item) return;
      if (element.kind >= Kind::kDocument) return value(element, item, path.entry(key));
      if (const auto broken = broken_rules(element, item); values && !broken.empty()) {
        values = false;
        report(broken[0].check, "Map value must satisfy constraint: " + element_rules(element),
               element, shape, v, path);
      }
    });
  }

  // `subject` is the shape whose rule is broken; `shown` is the one whose value is repeated.
  void report(const char* check, const std::string& rule, const Shape& subject, const Shape& shown,
              const void* v, const Path& path) {
    const auto text = subject.sensitive ? std::nullopt : echo(shown, v);
    if (const auto* exception = find_exception(subject, shown, path, check)) {
      if (!exception->message || !whole_.empty()) return;
      whole_ = replace_all(replace_all(exception->message, "{path}", path.text()), "{value}",
                           text.value_or(""));
      return;
    }
    add(str(text ? str("Value '", *text, "'") : "Value", " at '", path.text(),
            "' failed to satisfy constraint: ", rule));
  }

  const ValidationException* find_exception(const Shape& subject, const Shape& shown,
                                            const Path& path, std::string_view check) {
    const std::string place = str(operation_.name, ".", model_path(path));
    for (const auto& exception : service_.exceptions) {
      const std::string_view where = exception.where;
      if (check == exception.check &&
          (where == place || where == subject.name || where == shown.name))
        return &exception;
    }
    return nullptr;
  }

  void add(std::string violation) {
    if (violations_.size() < kMaxViolations) violations_.push_back(std::move(violation));
  }

  const Service& service_;
  const Operation& operation_;
  std::vector<std::string> violations_;
  std::string whole_;  // an exception's own words are the whole message
};

// Whether a value says no more than leaving it out would.
bool is_default(const Shape& shape, const void* v, std::span<const char* const> accepts) {
  switch (shape.kind) {
    case Kind::kBoolean:
      return !*static_cast<const bool*>(v);
    case Kind::kList:
      return shape.list->size(v) == 0;
    case Kind::kMap:
      return shape.map->size(v) == 0;
    case Kind::kStructure:
      return std::all_of(shape.members.begin(), shape.members.end(), [&](const Member& member) {
        const void* item = value_of(v, member);
        return !item || is_default(*member.shape, item, {});
      });
    case Kind::kDocument:
      return static_cast<const Json*>(v)->is_null();
    case Kind::kString:
    case Kind::kBlob: {
      const auto& text = *static_cast<const std::string*>(v);
      return text.empty() || std::find(accepts.begin(), accepts.end(), text) != accepts.end();
    }
    default: {
      std::string text;
      protocol::append_scalar(text, shape, TimestampFormat::kEpochSeconds, v);
      if (!accepts.empty()) return std::find(accepts.begin(), accepts.end(), text) != accepts.end();
      return text == "0" || text == "0.0";
    }
  }
}

// Whether the refused path holds something besides a default; lists and maps on the way are
// entered.
bool is_used(const Shape& shape, const void* v, std::string_view path,
             std::span<const char* const> accepts) {
  if (shape.kind == Kind::kList) {
    for (std::size_t i = 0; i < shape.list->size(v); ++i)
      if (const void* item = protocol::list_element(shape, v, i);
          item && is_used(*shape.element, item, path, accepts))
        return true;
    return false;
  }
  if (shape.kind == Kind::kMap) {
    bool used = false;
    protocol::for_each_entry(shape, v, [&](const std::string&, const void* item) {
      used = used || (item && is_used(*shape.element, item, path, accepts));
    });
    return used;
  }
  const auto dot = path.find('.');
  const Member* member = shape.member(path.substr(0, dot));
  const void* item = member ? value_of(v, *member) : nullptr;
  if (!item) return false;
  return dot == path.npos ? !is_default(*member->shape, item, accepts)
                          : is_used(*member->shape, item, path.substr(dot + 1), accepts);
}

}  // namespace

Result<Unit> validate(const Service& service, const Operation& operation, const void* input,
                      std::span<const std::string> missing_required) {
  Validation validation(service, operation);
  for (const auto& path : missing_required) validation.missing(path);
  validation.structure(*operation.input, input, Path{});
  TRY(validation.result());
  for (const auto& refused : service.refused)
    if (std::string_view(operation.name) == refused.operation &&
        is_used(*operation.input, input, refused.path, refused.accepts))
      return fail(service.validation.refused_code,
                  str(refused.path, " is not supported by Pileus: ", refused.reason));
  return Unit{};
}

}  // namespace pileus::aws
