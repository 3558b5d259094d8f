#include "gen/iam/CreateVirtualMFADevice.h"
#include "gen/iam/DeactivateMFADevice.h"
#include "gen/iam/DeleteVirtualMFADevice.h"
#include "gen/iam/EnableMFADevice.h"
#include "gen/iam/GetMFADevice.h"
#include "gen/iam/ListMFADeviceTags.h"
#include "gen/iam/ListMFADevices.h"
#include "gen/iam/ListVirtualMFADevices.h"
#include "gen/iam/ResyncMFADevice.h"
#include "gen/iam/TagMFADevice.h"
#include "gen/iam/UntagMFADevice.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/qr_code.h"
#include "services/iam/shapes.h"
#include "services/iam/totp.h"
#include "services/iam/user_meant.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr std::size_t kSeedCharacters = 64;  // Base32, as AWS's

// "path/name" of a serial number; "" for those of hardware, which Pileus has none of.
std::string device_name(const aws::Context& context, std::string_view serial) {
  const auto parsed = parse_entity_arn(serial);
  if (!parsed || parsed->kind != MfaRecord::kKind || parsed->account != context.account())
    return "";
  return str(parsed->path.substr(1), parsed->name);
}

// The device, or nullptr; not yet authorized.
Task<Result<MfaRecord*>> find_device(Edit& edit, std::string serial) {
  const std::string name = device_name(edit.context(), serial);
  if (name.empty()) co_return static_cast<MfaRecord*>(nullptr);
  CO_TRY_ASSIGN(MfaRecord * device, co_await edit.find<MfaRecord>(name));
  co_return device && device->arn == serial ? device : nullptr;
}

// Authorizes on the device itself.
Task<Result<MfaRecord*>> open_device(Edit& edit, std::string action, std::string serial,
                                     aws::ConditionValues conditions = {}) {
  CO_TRY_ASSIGN(MfaRecord * device, co_await find_device(edit, serial));
  if (device) conditions.merge(conditions_of(*device, action));
  const std::string arn = device || serial.starts_with("arn:")
                              ? serial
                              : arn_of<MfaRecord>(edit.context(), "/", serial);
  CO_TRY(co_await edit.context().authorize(std::move(action), arn, std::move(conditions)));
  if (!device) co_return fail(no_such<MfaRecord>(serial));
  co_return device;
}

// The device of that user, authorized on the user.
struct Assigned {
  UserRecord* user = nullptr;
  MfaRecord* device = nullptr;
};
Task<Result<Assigned>> open_assigned(Edit& edit, std::string action, std::string user_name,
                                     std::string serial) {
  Assigned found;
  CO_TRY_ASSIGN(found.user, co_await edit.open<UserRecord>(std::move(action), user_name));
  CO_TRY_ASSIGN(found.device, co_await find_device(edit, serial));
  if (!found.device || !found.user->mfa_devices.contains(to_lower(found.device->name)))
    co_return fail(no_such_entity(str("MFADevice with serial number ", serial,
                                      " cannot be found for user ", found.user->name, ".")));
  co_return found;
}

Result<std::string> seed_of(const IamState& state, const MfaRecord& device) {
  const auto sealed = from_base64(device.seed);
  auto seed = sealed ? state.secrets.open(*sealed, device.arn) : std::nullopt;
  if (!seed)
    return fail("ServiceFailure", str("The seed of ", device.arn, " cannot be read."), 500);
  return std::move(*seed);
}

// Takes two consecutive codes as proof, and learns from them how far the device's clock is off.
Result<Unit> synchronize(const IamState& state, MfaRecord& device, const std::string& first,
                         const std::string& second, std::int64_t window) {
  TRY_ASSIGN(const std::string seed, seed_of(state, device));
  const std::int64_t now = totp_step(state.real.now());
  const auto step = match_codes(seed, first, second, now, window);
  if (!step || *step <= device.last_step)
    return fail("InvalidAuthenticationCode", "Authentication code for device is not valid.", 403);
  device.last_step = *step;
  device.skew = std::abs(*step - now) > kVerifyWindow ? *step - now : 0;
  return Unit{};
}

}  // namespace

Task<Result<CreateVirtualMFADeviceOutput>> IamService::create_virtual_mfa_device(
    aws::Context& context, CreateVirtualMFADeviceInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  const std::string path = in.path.value_or("/");
  const std::string arn = arn_of<MfaRecord>(context, path, in.virtual_mfa_device_name);
  CO_TRY(co_await context.authorize("iam:CreateVirtualMFADevice", arn, request_conditions(tags)));
  for (Edit edit(*state_, context);;) {
    MfaRecord made;
    made.name = str(path.substr(1), in.virtual_mfa_device_name);
    made.arn = arn;
    made.created = whole_seconds(context.now());
    made.tags = tags;
    const std::string seed = upper_id(state_->random, kSeedCharacters);
    made.seed = to_base64(state_->secrets.seal(seed, arn));
    CO_TRY(co_await edit.create(std::move(made)));
    CreateVirtualMFADeviceOutput output;
    auto& shape = output.virtual_mfa_device;
    shape.serial_number = arn;
    shape.base32_string_seed = seed;
    CO_TRY_ASSIGN(shape.qr_code_png, qr_code_png(str("otpauth://totp/", in.virtual_mfa_device_name,
                                                     "@", context.account(), "?secret=", seed)));
    if (!tags.empty()) shape.tags = tag_list(tags);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<EnableMFADeviceOutput>> IamService::enable_mfa_device(aws::Context& context,
                                                                  EnableMFADeviceInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:EnableMFADevice", in.user_name));
    CO_TRY_ASSIGN(MfaRecord * device, co_await find_device(edit, in.serial_number));
    if (!device) co_return fail(no_such<MfaRecord>(in.serial_number));
    if (!device->user.empty())
      co_return fail("EntityAlreadyExists",
                     str("MFADevice with serial number ", device->arn, " is already in use."), 409);
    if (user->mfa_devices.size() >= kMfaDevicesPerUser)
      co_return fail(quota_exceeded("MFADevicesPerUser", kMfaDevicesPerUser));
    CO_TRY(synchronize(*state_, *device, in.authentication_code1, in.authentication_code2,
                       kEnableWindow));
    device->user = to_lower(user->name);
    device->enabled = whole_seconds(context.now());
    user->mfa_devices.insert(to_lower(device->name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return EnableMFADeviceOutput{};
  }
}

Task<Result<ResyncMFADeviceOutput>> IamService::resync_mfa_device(aws::Context& context,
                                                                  ResyncMFADeviceInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(const Assigned found, co_await open_assigned(edit, "iam:ResyncMFADevice",
                                                               in.user_name, in.serial_number));
    CO_TRY(synchronize(*state_, *found.device, in.authentication_code1, in.authentication_code2,
                       kResyncWindow));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return ResyncMFADeviceOutput{};
  }
}

Task<Result<DeactivateMFADeviceOutput>> IamService::deactivate_mfa_device(
    aws::Context& context, DeactivateMFADeviceInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(const Assigned found,
                  co_await open_assigned(edit, "iam:DeactivateMFADevice", name, in.serial_number));
    found.user->mfa_devices.erase(to_lower(found.device->name));
    found.device->user.clear();
    found.device->enabled = {};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeactivateMFADeviceOutput{};
  }
}

Task<Result<DeleteVirtualMFADeviceOutput>> IamService::delete_virtual_mfa_device(
    aws::Context& context, DeleteVirtualMFADeviceInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(MfaRecord * device,
                  co_await open_device(edit, "iam:DeleteVirtualMFADevice", in.serial_number));
    if (!device->user.empty())
      co_return fail(delete_conflict("MFA VirtualDevice in use. Must deactivate first."));
    edit.remove(*device);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteVirtualMFADeviceOutput{};
  }
}

Task<Result<ListMFADevicesOutput>> IamService::list_mfa_devices(aws::Context& context,
                                                                ListMFADevicesInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:ListMFADevices", name));
  CO_TRY_ASSIGN(const auto page, page_of(user->mfa_devices, in));
  ListMFADevicesOutput output;
  for (const auto& device_key : page.items) {
    CO_TRY_ASSIGN(MfaRecord * device, co_await edit.find<MfaRecord>(device_key));
    if (device) output.mfa_devices.push_back({user->name, device->arn, device->enabled});
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<GetMFADeviceOutput>> IamService::get_mfa_device(aws::Context& context,
                                                            GetMFADeviceInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(const Assigned found,
                co_await open_assigned(edit, "iam:GetMFADevice", name, in.serial_number));
  GetMFADeviceOutput output;
  output.user_name = found.user->name;
  output.serial_number = found.device->arn;
  output.enable_date = found.device->enabled;
  co_return output;
}

Task<Result<ListVirtualMFADevicesOutput>> IamService::list_virtual_mfa_devices(
    aws::Context& context, ListVirtualMFADevicesInput in) {
  CO_TRY(
      co_await context.authorize("iam:ListVirtualMFADevices", arn_of<MfaRecord>(context, "/", "")));
  const std::string status = in.assignment_status.value_or("Any");
  if (status != "Any" && status != "Assigned" && status != "Unassigned")
    co_return fail(
        invalid_input(str("AssignmentStatus is Assigned, Unassigned or Any, not ", status, ".")));
  CO_TRY_ASSIGN(const auto page, co_await load_records<MfaRecord>(
                                     state_->records, context.global_key(), prefix_of<MfaRecord>(),
                                     in.marker, in.max_items, [status](const MfaRecord& device) {
                                       return status == "Any" ||
                                              device.user.empty() == (status == "Unassigned");
                                     }));
  ListVirtualMFADevicesOutput output;
  Edit edit(*state_, context);
  for (const auto& device : page.items) {
    VirtualMFADevice shape;
    shape.serial_number = device.arn;
    if (!device.user.empty()) {
      CO_TRY_ASSIGN(UserRecord * user, co_await edit.find<UserRecord>(device.user));
      if (user) shape.user = shape_of(*user, Detail::kListed);
      shape.enable_date = device.enabled;
    }
    output.virtual_mfa_devices.push_back(std::move(shape));
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<TagMFADeviceOutput>> IamService::tag_mfa_device(aws::Context& context,
                                                            TagMFADeviceInput in) {
  CO_TRY_ASSIGN(const Tags added, tags_of(std::move(in.tags)));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(MfaRecord * device,
                  co_await open_device(edit, "iam:TagMFADevice", in.serial_number,
                                       request_conditions(added)));
    CO_TRY(add_tags(device->tags, added));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return TagMFADeviceOutput{};
  }
}

Task<Result<UntagMFADeviceOutput>> IamService::untag_mfa_device(aws::Context& context,
                                                                UntagMFADeviceInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(MfaRecord * device,
                  co_await open_device(edit, "iam:UntagMFADevice", in.serial_number,
                                       tag_key_conditions(in.tag_keys)));
    remove_tags(device->tags, in.tag_keys);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UntagMFADeviceOutput{};
  }
}

Task<Result<ListMFADeviceTagsOutput>> IamService::list_mfa_device_tags(aws::Context& context,
                                                                       ListMFADeviceTagsInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(MfaRecord * device,
                co_await open_device(edit, "iam:ListMFADeviceTags", in.serial_number));
  co_return tag_page<ListMFADeviceTagsOutput>(device->tags, in);
}

Task<Result<bool>> IamService::verify_mfa(std::string user_arn, std::string serial,
                                          std::string code) {
  const auto parsed = parse_entity_arn(user_arn);
  const auto device_arn = parse_entity_arn(serial);
  if (!parsed || parsed->kind != UserRecord::kKind || !device_arn ||
      device_arn->kind != MfaRecord::kKind || device_arn->account != parsed->account)
    co_return false;
  IamState& state = *state_;
  const std::string name = to_lower(parsed->name);
  bool verified = false;
  // The step is taken in the record, so that of two calls with one code only one has it.
  CO_TRY(co_await store::update<MfaRecord>(
      state.records, str(parsed->account, "/global"),
      key_of<MfaRecord>(str(device_arn->path.substr(1), device_arn->name)),
      [&](std::optional<MfaRecord>& device) -> Result<Unit> {
        verified = false;
        if (!device || device->arn != serial || device->user != name) return Unit{};
        TRY_ASSIGN(const std::string seed, seed_of(state, *device));
        const auto step =
            match_code(seed, code, totp_step(state.real.now()) + device->skew, device->last_step);
        if (step) device->last_step = *step;
        verified = step.has_value();
        return Unit{};
      }));
  co_return verified;
}

}  // namespace pileus::services::iam
