"""Reserved and provisioned concurrency, alias weights and tenants, as stock clients see them."""

import concurrent.futures
import json
import os
import time

import botocore.exceptions
import pytest

from cloud import Functions

SLOW = "import time\ndef handler(e, c):\n    time.sleep(e.get('s', 1))\n    return 'done'\n"
KIND = "import os\nSTART = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\nCOUNT = 0\n" \
       "def handler(e, c):\n    global COUNT\n    COUNT += 1\n    return [START, COUNT, c.function_version]\n"


def refused(function, **settings):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        function(**settings)
    return error.value.response


def together(functions, name, count, event):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(functions.invoke, name, event) for _ in range(count)]
        answers, errors = [], []
        for call in calls:
            try:
                answers.append(call.result()[1])
            except botocore.exceptions.ClientError as error:
                errors.append(error.response)
    return answers, errors


def wait_ready(api, name, qualifier, status="READY", timeout=30):
    deadline = time.monotonic() + timeout
    while True:
        config = api.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        if config["Status"] == status:
            return config
        assert time.monotonic() < deadline, config
        time.sleep(0.02)


def test_reserved_concurrency_bounds_a_function(functions):
    name = functions.create(SLOW)
    api = functions.api
    assert "ReservedConcurrentExecutions" not in api.get_function_concurrency(FunctionName=name)
    put = api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert put["ReservedConcurrentExecutions"] == 2
    assert api.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 2}
    answers, errors = together(functions, name, 5, {"s": 2})
    assert answers == ["done", "done"] and len(errors) == 3
    for error in errors:
        assert error["Error"]["Code"] == "TooManyRequestsException"
        assert error["Error"]["Message"] == "Rate Exceeded."
        assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert error["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    assert api.delete_function_concurrency(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    answers, errors = together(functions, name, 3, {"s": 0.1})
    assert len(answers) == 3
    assert "Concurrency" not in api.get_function(FunctionName=name)


def test_no_reserved_concurrency_stops_a_function_also_after_a_restart(fresh):
    cloud = fresh()
    functions = Functions(cloud)
    name = functions.create(SLOW)
    functions.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    error = refused(functions.api.invoke, FunctionName=name)
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    cloud.kill()
    cloud.start()
    assert refused(functions.api.invoke, FunctionName=name)["Error"]["Code"] == "TooManyRequestsException"
    functions.api.delete_function_concurrency(FunctionName=name)
    assert functions.invoke(name, {"s": 0})[1] == "done"


def test_the_account_keeps_a_hundred_places_with_quotas(fresh):
    functions = Functions(fresh("--quotas", "aws"))
    api = functions.api
    first, second = functions.create(SLOW), functions.create(SLOW)
    api.put_function_concurrency(FunctionName=first, ReservedConcurrentExecutions=800)
    error = refused(api.put_function_concurrency, FunctionName=second, ReservedConcurrentExecutions=101)
    assert error["Error"]["Code"] == "InvalidParameterValueException"
    assert error["Error"]["Message"] == ("Specified ReservedConcurrentExecutions for function decreases account's "
                                         "UnreservedConcurrentExecution below its minimum value of [100].")
    limits = api.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == 1000 and limits["UnreservedConcurrentExecutions"] == 200
    api.delete_function(FunctionName=first)
    assert api.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


def test_versions_and_aliases_take_no_reservation(functions):
    name = functions.create(SLOW)
    error = refused(functions.api.put_function_concurrency, FunctionName=name + ":1", ReservedConcurrentExecutions=1)
    assert error["Error"]["Code"] == "InvalidParameterValueException"
    error = refused(functions.api.put_function_concurrency, FunctionName="nobody", ReservedConcurrentExecutions=1)
    assert error["Error"]["Code"] == "ResourceNotFoundException"


def test_provisioned_concurrency_is_there_before_the_first_event(fresh):
    cloud = fresh()
    functions = Functions(cloud)
    api = functions.api
    name = functions.create(KIND)
    version = api.publish_version(FunctionName=name)["Version"]
    put = api.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert put["Status"] == "IN_PROGRESS" and put["RequestedProvisionedConcurrentExecutions"] == 2
    config = wait_ready(api, name, version)
    assert config["AllocatedProvisionedConcurrentExecutions"] == 2
    assert config["AvailableProvisionedConcurrentExecutions"] == 2
    before = cloud.admin("GET", "status")["lambda"]["cold starts"]
    answer, payload = functions.invoke(name, Qualifier=version)
    assert payload == ["provisioned-concurrency", 1, version]
    assert cloud.admin("GET", "status")["lambda"]["cold starts"] == before
    cloud.kill()
    cloud.start()
    wait_ready(api, name, version)
    listed = api.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [c["FunctionArn"].split(":")[-1] for c in listed] == [version]
    assert api.delete_provisioned_concurrency_config(
        FunctionName=name, Qualifier=version)["ResponseMetadata"]["HTTPStatusCode"] == 204
    error = refused(api.get_provisioned_concurrency_config, FunctionName=name, Qualifier=version)
    assert error["Error"]["Code"] == "ProvisionedConcurrencyConfigNotFoundException"
    assert error["Error"]["Message"] == "No Provisioned Concurrency Config found for this function"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_provisioned_concurrency_that_cannot_start_says_so(functions):
    name = functions.create("raise ValueError('no')\n")
    version = functions.api.publish_version(FunctionName=name)["Version"]
    functions.api.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    config = wait_ready(functions.api, name, version, "FAILED")
    assert config["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert config["AllocatedProvisionedConcurrentExecutions"] == 0
    functions.api.delete_function(FunctionName=name)


def test_provisioned_concurrency_is_for_versions_and_within_the_reservation(functions):
    name = functions.create(KIND)
    api = functions.api
    error = refused(api.put_provisioned_concurrency_config, FunctionName=name, Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)
    assert error["Error"]["Message"] == "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    version = api.publish_version(FunctionName=name)["Version"]
    api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    error = refused(api.put_provisioned_concurrency_config, FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)
    assert error["Error"]["Code"] == "InvalidParameterValueException"


def test_weights_send_events_to_both_versions_and_say_which_ran(functions):
    name = functions.create(KIND)
    api = functions.api
    api.publish_version(FunctionName=name)
    api.update_function_configuration(FunctionName=name, MemorySize=256)
    api.publish_version(FunctionName=name)
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1",
                     RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    seen = {"1": 0, "2": 0}
    for _ in range(60):
        answer, payload = functions.invoke(name, Qualifier="live")
        assert payload[2] == answer["ExecutedVersion"]
        seen[answer["ExecutedVersion"]] += 1
    assert min(seen.values()) >= 10, seen


def test_tenants_have_environments_of_their_own(functions):
    name = functions.create(
        "N = 0\ndef handler(e, c):\n    global N\n    N += 1\n    print('hello')\n    return [c.tenant_id, N]\n",
        TenancyConfig={"TenantIsolationMode": "PER_TENANT"}, LoggingConfig={"LogFormat": "JSON"})
    config = functions.api.get_function_configuration(FunctionName=name)
    assert config["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert functions.invoke(name, TenantId="blue")[1] == ["blue", 1]
    assert functions.invoke(name, TenantId="green")[1] == ["green", 1]
    assert functions.invoke(name, TenantId="blue")[1] == ["blue", 2]
    error = refused(functions.api.invoke, FunctionName=name)
    assert error["Error"]["Code"] == "InvalidParameterValueException" and error["ResponseMetadata"]["HTTPStatusCode"] == 400
    plain = functions.create(KIND)
    assert refused(functions.api.invoke, FunctionName=plain, TenantId="blue")["Error"]["Code"] == "InvalidParameterValueException"
    assert functions.api.invoke(FunctionName=name, TenantId="green", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    deadline = time.monotonic() + 10
    while True:
        records = [json.loads(m) for m in functions.messages(name, 6) if m.startswith("{")]
        starts = [r["record"]["tenantId"] for r in records if r.get("type") == "platform.start"]
        reports = [r["record"]["tenantId"] for r in records if r.get("type") == "platform.report"]
        if sorted(starts) == sorted(reports) == ["blue", "blue", "green", "green"]:
            return
        assert time.monotonic() < deadline, (starts, reports)
        time.sleep(0.05)


def test_a_user_needs_the_right_to_change_concurrency(functions):
    iam = functions.iam
    user = f"u-{os.urandom(4).hex()}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    api = functions.cloud.client("lambda", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    name = functions.create(KIND)
    for call, settings in ((api.put_function_concurrency, {"ReservedConcurrentExecutions": 1}),
                           (api.get_function_concurrency, {}), (api.delete_function_concurrency, {}),
                           (api.list_provisioned_concurrency_configs, {}),
                           (api.get_provisioned_concurrency_config, {"Qualifier": "1"}),
                           (api.delete_provisioned_concurrency_config, {"Qualifier": "1"}),
                           (api.put_provisioned_concurrency_config, {"Qualifier": "1", "ProvisionedConcurrentExecutions": 1})):
        assert refused(call, FunctionName=name, **settings)["Error"]["Code"] == "AccessDeniedException"
