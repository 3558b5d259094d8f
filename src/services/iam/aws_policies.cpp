// Documents as AWS publishes them; ReadOnlyAccess and ViewOnlyAccess name the services Pileus has
// or will have, not all of AWS's, and the largest policies leave out statements about other services.
#include "services/iam/aws_policies.h"

#include "services/iam/arns.h"

namespace pileus::services::iam {

namespace {

constexpr AwsPolicy kPolicies[] = {
    {"/", "AWSCloudFormationFullAccess",
     "Provides full access to AWS CloudFormation.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:*"],"Reso)"
     R"(urce":"*"}]})"},
    {"/", "AWSCloudFormationReadOnlyAccess",
     "Provides access to AWS CloudFormation via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:Describe*)"
     R"(","cloudformation:EstimateTemplateCost","cloudformation:Get*","cloudformation:List*","clou)"
     R"(dformation:ValidateTemplate","cloudformation:Detect*"],"Resource":"*"}]})"},
    {"/", "AWSCloudTrail_FullAccess",
     "Provides full access to AWS CloudTrail.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudtrail:*","Resource":)"
     R"("*"},{"Effect":"Allow","Action":["logs:CreateLogGroup"],"Resource":"arn:aws:logs:*:*:log-g)"
     R"(roup:aws-cloudtrail-logs*"},{"Effect":"Allow","Action":["iam:ListRoles","iam:GetRolePolicy)"
     R"(","iam:GetUser"],"Resource":"*"},{"Effect":"Allow","Action":["lambda:ListFunctions"],"Reso)"
     R"(urce":"*"},{"Effect":"Allow","Action":["dynamodb:ListGlobalTables","dynamodb:ListTables"],)"
     R"("Resource":"*"}]})"},
    {"/", "AWSCloudTrail_ReadOnlyAccess",
     "Provides read only access to AWS CloudTrail.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudtrail:Get*","cloudt)"
     R"(rail:Describe*","cloudtrail:List*","cloudtrail:LookupEvents"],"Resource":"*"}]})"},
    {"/", "AWSCodeDeployFullAccess",
     "Provides full access to CodeDeploy resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codedeploy:*","Resource":)"
     R"("*"}]})"},
    {"/", "AWSCodeDeployReadOnlyAccess",
     "Provides read only access to CodeDeploy resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codedeploy:Batch*","code)"
     R"(deploy:Get*","codedeploy:List*"],"Resource":"*"}]})"},
    {"/service-role/", "AWSCodeDeployRole",
     "Provides CodeDeploy service access to expand tags and interact with Auto Scaling on your b"
     "ehalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:CompleteLife)"
     R"(cycleAction","autoscaling:DeleteLifecycleHook","autoscaling:DescribeAutoScalingGroups","au)"
     R"(toscaling:DescribeLifecycleHooks","autoscaling:PutLifecycleHook","autoscaling:RecordLifecy)"
     R"(cleActionHeartbeat","autoscaling:UpdateAutoScalingGroup","autoscaling:SuspendProcesses","a)"
     R"(utoscaling:ResumeProcesses","ec2:DescribeInstances","ec2:DescribeInstanceStatus","ec2:Term)"
     R"(inateInstances","tag:GetResources","sns:Publish","cloudwatch:DescribeAlarms","cloudwatch:P)"
     R"(utMetricAlarm","elasticloadbalancing:DescribeLoadBalancers","elasticloadbalancing:Describe)"
     R"(InstanceHealth","elasticloadbalancing:RegisterInstancesWithLoadBalancer","elasticloadbalan)"
     R"(cing:DeregisterInstancesFromLoadBalancer","elasticloadbalancing:DescribeTargetGroups","ela)"
     R"(sticloadbalancing:DescribeTargetHealth","elasticloadbalancing:RegisterTargets","elasticloa)"
     R"(dbalancing:DeregisterTargets"],"Resource":"*"}]})"},
    {"/", "AWSCodeDeployRoleForECS",
     "Provides CodeDeploy service wide access to perform an ECS blue/green deployment on your be"
     "half.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:DescribeServices","e)"
     R"(cs:CreateTaskSet","ecs:UpdateServicePrimaryTaskSet","ecs:DeleteTaskSet","elasticloadbalanc)"
     R"(ing:DescribeTargetGroups","elasticloadbalancing:DescribeListeners","elasticloadbalancing:M)"
     R"(odifyListener","elasticloadbalancing:DescribeRules","elasticloadbalancing:ModifyRule","lam)"
     R"(bda:InvokeFunction","cloudwatch:DescribeAlarms","sns:Publish","s3:GetObject","s3:GetObject)"
     R"(Version"],"Resource":"*"},{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"*","Cond)"
     R"(ition":{"StringLike":{"iam:PassedToService":["ecs-tasks.amazonaws.com"]}}}]})"},
    {"/service-role/", "AWSCodeDeployRoleForLambda",
     "Provides CodeDeploy service access to perform a Lambda deployment on your behalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:DescribeAlarm)"
     R"(s","lambda:UpdateAlias","lambda:GetAlias","lambda:GetProvisionedConcurrencyConfig","sns:Pu)"
     R"(blish"],"Resource":"*"},{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],)"
     R"("Resource":"arn:aws:s3:::*/CodeDeploy/*"},{"Effect":"Allow","Action":["s3:GetObject","s3:G)"
     R"(etObjectVersion"],"Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/UseWit)"
     R"(hCodeDeploy":"true"}}},{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":"ar)"
     R"(n:aws:lambda:*:*:function:CodeDeployHook_*"}]})"},
    {"/service-role/", "AWSCodeDeployRoleForLambdaLimited",
     "Provides CodeDeploy service limited access to perform a Lambda deployment on your behalf.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:DescribeAlarm)"
     R"(s","lambda:UpdateAlias","lambda:GetAlias","lambda:GetProvisionedConcurrencyConfig"],"Resou)"
     R"(rce":"*"},{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"ar)"
     R"(n:aws:s3:::*/CodeDeploy/*"},{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersio)"
     R"(n"],"Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/UseWithCodeDeploy":")"
     R"(true"}}},{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":"arn:aws:lambda:*)"
     R"(:*:function:CodeDeployHook_*"}]})"},
    {"/service-role/", "AWSLambdaBasicExecutionRole",
     "Provides write permissions to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","lo)"
     R"(gs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaDynamoDBExecutionRole",
     "Provides list and read access to DynamoDB streams and write permissions to CloudWatch logs"
     ".",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeStream")"
     R"(,"dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","logs:CreateLogG)"
     R"(roup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaENIManagementAccess",
     "Provides minimum permissions for a Lambda function to manage ENIs (create, describe, delet"
     "e) used by a VPC-enabled Lambda Function.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:CreateNetworkInterfa)"
     R"(ce","ec2:DescribeNetworkInterfaces","ec2:DeleteNetworkInterface","ec2:AssignPrivateIpAddre)"
     R"(sses","ec2:UnassignPrivateIpAddresses"],"Resource":"*"}]})"},
    {"/", "AWSLambdaExecute",
     "Provides Put, Get access to S3 and full access to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*"],"Resource":"arn)"
     R"(:aws:logs:*:*:*"},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"a)"
     R"(rn:aws:s3:::*"}]})"},
    {"/", "AWSLambdaInvocation-DynamoDB",
     "Provides read access to DynamoDB Streams.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunction"],)"
     R"("Resource":["*"]},{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecor)"
     R"(ds","dynamodb:GetShardIterator","dynamodb:ListStreams"],"Resource":["*"]}]})"},
    {"/service-role/", "AWSLambdaKinesisExecutionRole",
     "Provides list and read access to Kinesis streams and write permissions to CloudWatch logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kinesis:DescribeStream",)"
     R"("kinesis:DescribeStreamSummary","kinesis:GetRecords","kinesis:GetShardIterator","kinesis:L)"
     R"(istShards","kinesis:ListStreams","kinesis:SubscribeToShard","logs:CreateLogGroup","logs:Cr)"
     R"(eateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaMSKExecutionRole",
     "Provides permissions required to access MSK Cluster within a VPC, manage ENIs (create, des"
     "cribe, delete) in the VPC and write permissions to CloudWatch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kafka:DescribeCluster",")"
     R"(kafka:DescribeClusterV2","kafka:GetBootstrapBrokers","ec2:CreateNetworkInterface","ec2:Des)"
     R"(cribeNetworkInterfaces","ec2:DescribeVpcs","ec2:DeleteNetworkInterface","ec2:DescribeSubne)"
     R"(ts","ec2:DescribeSecurityGroups","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLog)"
     R"(Events"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaRole",
     "Default policy for AWS Lambda service role.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunction"],)"
     R"("Resource":["*"]}]})"},
    {"/service-role/", "AWSLambdaSQSQueueExecutionRole",
     "Provides receive message, delete message, and read attribute access to SQS queues, and wri"
     "te permissions to CloudWatch logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs)"
     R"(:DeleteMessage","sqs:GetQueueAttributes","logs:CreateLogGroup","logs:CreateLogStream","log)"
     R"(s:PutLogEvents"],"Resource":"*"}]})"},
    {"/service-role/", "AWSLambdaVPCAccessExecutionRole",
     "Provides minimum permissions for a Lambda function to execute while accessing a resource w"
     "ithin a VPC - create, describe, delete network interfaces and write permissions to CloudWa"
     "tch Logs.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","lo)"
     R"(gs:CreateLogStream","logs:PutLogEvents","ec2:CreateNetworkInterface","ec2:DescribeNetworkI)"
     R"(nterfaces","ec2:DescribeSubnets","ec2:DeleteNetworkInterface","ec2:AssignPrivateIpAddresse)"
     R"(s","ec2:UnassignPrivateIpAddresses"],"Resource":"*","Sid":"AWSLambdaVPCAccessExecutionPerm)"
     R"(issions"}]})"},
    {"/", "AWSLambda_FullAccess",
     "Grants full access to AWS Lambda service, AWS Lambda console features, and other related A"
     "WS services.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:DescribeS)"
     R"(tacks","cloudformation:ListStacks","cloudformation:ListStackResources","cloudwatch:GetMetr)"
     R"(icData","cloudwatch:ListMetrics","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:D)"
     R"(escribeVpcs","kms:ListAliases","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:G)"
     R"(etRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:ListRoles","lambd)"
     R"(a:*","logs:DescribeLogGroups","states:DescribeStateMachine","states:ListStateMachines","ta)"
     R"(g:GetResources","xray:GetTraceSummaries","xray:BatchGetTraces"],"Resource":"*"},{"Effect":)"
     R"("Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToS)"
     R"(ervice":"lambda.amazonaws.com"}}},{"Effect":"Allow","Action":["logs:DescribeLogStreams","l)"
     R"(ogs:GetLogEvents","logs:FilterLogEvents","logs:StartLiveTail","logs:StopLiveTail"],"Resour)"
     R"(ce":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}]})"},
    {"/", "AWSLambda_ReadOnlyAccess",
     "Grants read-only access to AWS Lambda service, AWS Lambda console features, and other rela"
     "ted AWS services.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudformation:DescribeS)"
     R"(tacks","cloudformation:ListStacks","cloudformation:ListStackResources","cloudwatch:GetMetr)"
     R"(icData","cloudwatch:ListMetrics","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:D)"
     R"(escribeVpcs","kms:ListAliases","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:G)"
     R"(etRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:ListRoles","logs:)"
     R"(DescribeLogGroups","lambda:Get*","lambda:List*","states:DescribeStateMachine","states:List)"
     R"(StateMachines","tag:GetResources","xray:GetTraceSummaries","xray:BatchGetTraces"],"Resourc)"
     R"(e":"*"},{"Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:Fi)"
     R"(lterLogEvents","logs:StartLiveTail","logs:StopLiveTail"],"Resource":"arn:aws:logs:*:*:log-)"
     R"(group:/aws/lambda/*"}]})"},
    {"/", "AWSStepFunctionsFullAccess",
     "An access policy for providing a user/role/etc access to the AWS StepFunctions API.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"states:*","Resource":"*"})"
     R"(]})"},
    {"/", "AWSXRayDaemonWriteAccess",
     "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retri"
     "eve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:PutTraceSegments",")"
     R"(xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetSamplingTargets","xray:GetSampl)"
     R"(ingStatisticSummaries"],"Resource":"*"}]})"},
    {"/", "AWSXrayFullAccess",
     "AWS X-Ray full access managed policy",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:*"],"Resource":"*"})"
     R"(]})"},
    {"/", "AWSXrayReadOnlyAccess",
     "AWS X-Ray read only managed policy",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:GetSamplingRules",")"
     R"(xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries","xray:BatchGetTraces","xray:)"
     R"(BatchGetTraceSummaryById","xray:GetDistinctTraceGraphs","xray:GetServiceGraph","xray:GetTr)"
     R"(aceGraph","xray:GetTraceSummaries","xray:GetGroups","xray:GetGroup","xray:ListTagsForResou)"
     R"(rce","xray:ListResourcePolicies","xray:GetTimeSeriesServiceStatistics","xray:GetInsightSum)"
     R"(maries","xray:GetInsight","xray:GetInsightEvents","xray:GetInsightImpactGraph"],"Resource")"
     R"(:["*"]}]})"},
    {"/", "AdministratorAccess",
     "Provides full access to AWS services and resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"},
    {"/", "AmazonAPIGatewayAdministrator",
     "Provides full access to create/edit/delete APIs in Amazon API Gateway via the AWS Manageme"
     "nt Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:*"],"Resource)"
     R"(":"arn:aws:apigateway:*::/*"}]})"},
    {"/", "AmazonAPIGatewayInvokeFullAccess",
     "Provides full access to invoke APIs in Amazon API Gateway.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["execute-api:Invoke","exe)"
     R"(cute-api:ManageConnections"],"Resource":"arn:aws:execute-api:*:*:*"}]})"},
    {"/service-role/", "AmazonAPIGatewayPushToCloudWatchLogs",
     "Allows API Gateway to push logs to user's account.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","lo)"
     R"(gs:CreateLogStream","logs:DescribeLogGroups","logs:DescribeLogStreams","logs:PutLogEvents")"
     R"(,"logs:GetLogEvents","logs:FilterLogEvents"],"Resource":"*"}]})"},
    {"/", "AmazonDynamoDBFullAccess",
     "Provides full access to Amazon DynamoDB via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*","dax:*","app)"
     R"(lication-autoscaling:DeleteScalingPolicy","application-autoscaling:DeregisterScalableTarge)"
     R"(t","application-autoscaling:DescribeScalableTargets","application-autoscaling:DescribeScal)"
     R"(ingActivities","application-autoscaling:DescribeScalingPolicies","application-autoscaling:)"
     R"(PutScalingPolicy","application-autoscaling:RegisterScalableTarget","cloudwatch:DeleteAlarm)"
     R"(s","cloudwatch:DescribeAlarmHistory","cloudwatch:DescribeAlarms","cloudwatch:DescribeAlarm)"
     R"(sForMetric","cloudwatch:GetMetricStatistics","cloudwatch:ListMetrics","cloudwatch:PutMetri)"
     R"(cAlarm","cloudwatch:GetMetricData","iam:GetRole","iam:ListRoles","kms:DescribeKey","kms:Li)"
     R"(stAliases","sns:CreateTopic","sns:DeleteTopic","sns:ListSubscriptions","sns:ListSubscripti)"
     R"(onsByTopic","sns:ListTopics","sns:Subscribe","sns:Unsubscribe","sns:SetTopicAttributes","l)"
     R"(ambda:CreateFunction","lambda:ListFunctions","lambda:ListEventSourceMappings","lambda:Crea)"
     R"(teEventSourceMapping","lambda:DeleteEventSourceMapping","lambda:GetFunctionConfiguration",)"
     R"("lambda:DeleteFunction","tag:GetResources"],"Resource":"*"}]})"},
    {"/", "AmazonDynamoDBReadOnlyAccess",
     "Provides read only access to Amazon DynamoDB via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["application-autoscaling:)"
     R"(DescribeScalableTargets","application-autoscaling:DescribeScalingActivities","application-)"
     R"(autoscaling:DescribeScalingPolicies","cloudwatch:DescribeAlarmHistory","cloudwatch:Describ)"
     R"(eAlarms","cloudwatch:DescribeAlarmsForMetric","cloudwatch:GetMetricStatistics","cloudwatch)"
     R"(:ListMetrics","cloudwatch:GetMetricData","dynamodb:BatchGetItem","dynamodb:Describe*","dyn)"
     R"(amodb:List*","dynamodb:GetItem","dynamodb:GetResourcePolicy","dynamodb:Query","dynamodb:Sc)"
     R"(an","dynamodb:PartiQLSelect","iam:GetRole","iam:ListRoles","kms:DescribeKey","kms:ListAlia)"
     R"(ses","sns:ListSubscriptionsByTopic","sns:ListTopics","lambda:ListFunctions","lambda:ListEv)"
     R"(entSourceMappings","lambda:GetFunctionConfiguration","tag:GetResources"],"Resource":"*"}]})"},
    {"/", "AmazonEC2ContainerRegistryFullAccess",
     "Provides administrative access to Amazon ECR resources",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","cloudtrail:Looku)"
     R"(pEvents"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole"],"Reso)"
     R"(urce":"*","Condition":{"StringEquals":{"iam:AWSServiceName":["replication.ecr.amazonaws.co)"
     R"(m"]}}}]})"},
    {"/", "AmazonEC2ContainerRegistryPowerUser",
     "Provides full access to Amazon EC2 Container Registry repositories, but does not allow rep"
     "ository deletion or policy changes.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToke)"
     R"(n","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy)"
     R"(","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ec)"
     R"(r:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:Descr)"
     R"(ibeImageScanFindings","ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUp)"
     R"(load","ecr:PutImage"],"Resource":"*"}]})"},
    {"/", "AmazonEC2ContainerRegistryReadOnly",
     "Provides read-only access to Amazon EC2 Container Registry repositories.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToke)"
     R"(n","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy)"
     R"(","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ec)"
     R"(r:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:Descr)"
     R"(ibeImageScanFindings"],"Resource":"*"}]})"},
    {"/service-role/", "AmazonEC2ContainerServiceEventsRole",
     "Policy to enable CloudWatch Events for EC2 Container Service",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:RunTask"],"Resource")"
     R"(:["*"]},{"Effect":"Allow","Action":"iam:PassRole","Resource":["*"],"Condition":{"StringLik)"
     R"(e":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}},{"Effect":"Allow","Action":"ecs:Tag)"
     R"(Resource","Resource":"*","Condition":{"StringEquals":{"ecs:CreateAction":["RunTask"]}}}]})"},
    {"/service-role/", "AmazonEC2ContainerServiceRole",
     "Default policy for Amazon ECS service role.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:AuthorizeSecurityGro)"
     R"(upIngress","ec2:Describe*","elasticloadbalancing:DeregisterInstancesFromLoadBalancer","ela)"
     R"(sticloadbalancing:DeregisterTargets","elasticloadbalancing:Describe*","elasticloadbalancin)"
     R"(g:RegisterInstancesWithLoadBalancer","elasticloadbalancing:RegisterTargets"],"Resource":"*)"
     R"("}]})"},
    {"/service-role/", "AmazonEC2ContainerServiceforEC2Role",
     "Default policy for the Amazon EC2 Role for Amazon EC2 Container Service.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeTags","ecs:C)"
     R"(reateCluster","ecs:DeregisterContainerInstance","ecs:DiscoverPollEndpoint","ecs:Poll","ecs)"
     R"(:RegisterContainerInstance","ecs:StartTelemetrySession","ecs:UpdateContainerInstancesState)"
     R"(","ecs:Submit*","ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDown)"
     R"(loadUrlForLayer","ecr:BatchGetImage","logs:CreateLogStream","logs:PutLogEvents"],"Resource)"
     R"(":"*"},{"Effect":"Allow","Action":"ecs:TagResource","Resource":"*","Condition":{"StringEqu)"
     R"(als":{"ecs:CreateAction":["CreateCluster","RegisterContainerInstance"]}}}]})"},
    {"/", "AmazonEC2FullAccess",
     "Provides full access to Amazon EC2 via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Action":"ec2:*","Effect":"Allow","Resource":"*"},{")"
     R"(Effect":"Allow","Action":"elasticloadbalancing:*","Resource":"*"},{"Effect":"Allow","Actio)"
     R"(n":"cloudwatch:*","Resource":"*"},{"Effect":"Allow","Action":"autoscaling:*","Resource":"*)"
     R"("},{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"S)"
     R"(tringEquals":{"iam:AWSServiceName":["autoscaling.amazonaws.com","ec2scheduled.amazonaws.co)"
     R"(m","elasticloadbalancing.amazonaws.com","spot.amazonaws.com","spotfleet.amazonaws.com","tr)"
     R"(ansitgateway.amazonaws.com"]}}}]})"},
    {"/", "AmazonEC2ReadOnlyAccess",
     "Provides read only access to Amazon EC2 via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","ec2:Get*)"
     R"("],"Resource":"*"},{"Effect":"Allow","Action":"elasticloadbalancing:Describe*","Resource":)"
     R"("*"},{"Effect":"Allow","Action":["cloudwatch:ListMetrics","cloudwatch:GetMetricStatistics")"
     R"(,"cloudwatch:Describe*"],"Resource":"*"},{"Effect":"Allow","Action":"autoscaling:Describe*)"
     R"(","Resource":"*"}]})"},
    {"/service-role/", "AmazonECSTaskExecutionRolePolicy",
     "Provides access to other AWS service resources that are required to run Amazon ECS tasks",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToke)"
     R"(n","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","log)"
     R"(s:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]})"},
    {"/", "AmazonECS_FullAccess",
     "Provides administrative access to Amazon ECS resources and enables ECS features through ac"
     "cess to other AWS service resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:*","application-auto)"
     R"(scaling:*","autoscaling:Describe*","cloudformation:CreateStack","cloudformation:DeleteStac)"
     R"(k","cloudformation:DescribeStack*","cloudformation:UpdateStack","cloudwatch:DeleteAlarms",)"
     R"("cloudwatch:DescribeAlarms","cloudwatch:GetMetricStatistics","cloudwatch:PutMetricAlarm",")"
     R"(codedeploy:*","ec2:Describe*","elasticloadbalancing:*","events:DeleteRule","events:Describ)"
     R"(eRule","events:ListRuleNamesByTarget","events:ListTargetsByRule","events:PutRule","events:)"
     R"(PutTargets","events:RemoveTargets","iam:ListAttachedRolePolicies","iam:ListInstanceProfile)"
     R"(s","iam:ListRoles","lambda:ListFunctions","logs:CreateLogGroup","logs:DescribeLogGroups",")"
     R"(logs:FilterLogEvents","servicediscovery:*","sns:ListTopics"],"Resource":"*"},{"Effect":"Al)"
     R"(low","Action":"iam:PassRole","Resource":["*"],"Condition":{"StringLike":{"iam:PassedToServ)"
     R"(ice":"ecs-tasks.amazonaws.com"}}}]})"},
    {"/", "AmazonEKSClusterPolicy",
     "This policy provides Kubernetes the permissions it requires to manage resources on your be"
     "half.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:DescribeAuto)"
     R"(ScalingGroups","autoscaling:UpdateAutoScalingGroup","ec2:AttachVolume","ec2:AuthorizeSecur)"
     R"(ityGroupIngress","ec2:CreateRoute","ec2:CreateSecurityGroup","ec2:CreateTags","ec2:CreateV)"
     R"(olume","ec2:DeleteRoute","ec2:DeleteSecurityGroup","ec2:DeleteVolume","ec2:Describe*","ec2)"
     R"(:DetachVolume","ec2:ModifyInstanceAttribute","ec2:ModifyVolume","ec2:RevokeSecurityGroupIn)"
     R"(gress","elasticloadbalancing:*","kms:DescribeKey"],"Resource":"*"}]})"},
    {"/", "AmazonEKSWorkerNodePolicy",
     "This policy allows Amazon EKS worker nodes to connect to Amazon EKS Clusters.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances",")"
     R"(ec2:DescribeInstanceTypes","ec2:DescribeRouteTables","ec2:DescribeSecurityGroups","ec2:Des)"
     R"(cribeSubnets","ec2:DescribeVolumes","ec2:DescribeVolumesModifications","ec2:DescribeVpcs",)"
     R"("eks:DescribeCluster","eks-auth:AssumeRoleForPodIdentity"],"Resource":"*"}]})"},
    {"/", "AmazonEKS_CNI_Policy",
     "This policy provides the Amazon VPC CNI Plugin (amazon-vpc-cni-k8s) the permissions it req"
     "uires to modify the IP address configuration on your EKS worker nodes.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:AssignPrivateIpAddre)"
     R"(sses","ec2:AttachNetworkInterface","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterfac)"
     R"(e","ec2:DescribeInstances","ec2:DescribeTags","ec2:DescribeNetworkInterfaces","ec2:Describ)"
     R"(eInstanceTypes","ec2:DescribeSubnets","ec2:DetachNetworkInterface","ec2:ModifyNetworkInter)"
     R"(faceAttribute","ec2:UnassignPrivateIpAddresses"],"Resource":"*"},{"Effect":"Allow","Action)"
     R"(":["ec2:CreateTags"],"Resource":["arn:aws:ec2:*:*:network-interface/*"]}]})"},
    {"/", "AmazonEventBridgeFullAccess",
     "Provides full access to Amazon EventBridge.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["events:*","schemas:*","s)"
     R"(cheduler:*","pipes:*"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource)"
     R"(":"arn:aws:iam::*:role/*","Condition":{"StringLike":{"iam:PassedToService":["events.amazon)"
     R"(aws.com","scheduler.amazonaws.com","pipes.amazonaws.com"]}}}]})"},
    {"/", "AmazonEventBridgeReadOnlyAccess",
     "Provides read only access to Amazon EventBridge.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["events:DescribeRule","ev)"
     R"(ents:DescribeEventBus","events:DescribeEventSource","events:ListEventBuses","events:ListEv)"
     R"(entSources","events:ListRuleNamesByTarget","events:ListRules","events:ListTargetsByRule",")"
     R"(events:TestEventPattern","events:DescribeArchive","events:ListArchives","events:DescribeRe)"
     R"(play","events:ListReplays","events:DescribeConnection","events:ListConnections","events:De)"
     R"(scribeApiDestination","events:ListApiDestinations","events:DescribeEndpoint","events:ListE)"
     R"(ndpoints","scheduler:GetSchedule","scheduler:GetScheduleGroup","scheduler:ListSchedules",")"
     R"(scheduler:ListScheduleGroups","scheduler:ListTagsForResource"],"Resource":"*"}]})"},
    {"/", "AmazonKinesisFullAccess",
     "Provides full access to all streams via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kinesis:*","Resource":"*")"
     R"(}]})"},
    {"/", "AmazonRoute53FullAccess",
     "Provides full access to all Amazon Route 53 via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["route53:*","route53domai)"
     R"(ns:*","cloudfront:ListDistributions","elasticloadbalancing:DescribeLoadBalancers","s3:List)"
     R"(Bucket","s3:GetBucketLocation","s3:GetBucketWebsite","ec2:DescribeVpcs","ec2:DescribeRegio)"
     R"(ns","sns:ListTopics","sns:ListSubscriptionsByTopic","cloudwatch:DescribeAlarms","cloudwatc)"
     R"(h:GetMetricStatistics"],"Resource":"*"},{"Effect":"Allow","Action":"apigateway:GET","Resou)"
     R"(rce":"arn:aws:apigateway:*::/domainnames"}]})"},
    {"/", "AmazonS3FullAccess",
     "Provides full access to all buckets via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:)"
     R"(*"],"Resource":"*"}]})"},
    {"/", "AmazonS3ReadOnlyAccess",
     "Provides read only access to all buckets via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:)"
     R"(Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}]})"},
    {"/", "AmazonSNSFullAccess",
     "Provides full access to Amazon SNS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:*"],"Resource":"*"}])"
     R"(})"},
    {"/", "AmazonSNSReadOnlyAccess",
     "Provides read only access to Amazon SNS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:GetTopicAttributes",)"
     R"("sns:List*","sns:CheckIfPhoneNumberIsOptedOut","sns:GetEndpointAttributes","sns:GetDataPro)"
     R"(tectionPolicy","sns:GetPlatformApplicationAttributes","sns:GetSMSAttributes","sns:GetSMSSa)"
     R"(ndboxAccountStatus","sns:GetSubscriptionAttributes"],"Resource":"*"}]})"},
    {"/", "AmazonSQSFullAccess",
     "Provides full access to Amazon SQS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:*"],"Resource":"*"}])"
     R"(})"},
    {"/", "AmazonSQSReadOnlyAccess",
     "Provides read only access to Amazon SQS via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:GetQueueAttributes",)"
     R"("sqs:GetQueueUrl","sqs:ListDeadLetterSourceQueues","sqs:ListQueues","sqs:ListMessageMoveTa)"
     R"(sks","sqs:ListQueueTags"],"Resource":"*"}]})"},
    {"/", "AmazonSSMManagedInstanceCore",
     "The policy for Amazon EC2 Role to enable AWS Systems Manager service core functionality.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:DescribeAssociation")"
     R"(,"ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm)"
     R"(:GetManifest","ssm:GetParameter","ssm:GetParameters","ssm:ListAssociations","ssm:ListInsta)"
     R"(nceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResul)"
     R"(t","ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstance)"
     R"(Information"],"Resource":"*"},{"Effect":"Allow","Action":["ssmmessages:CreateControlChanne)"
     R"(l","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataC)"
     R"(hannel"],"Resource":"*"},{"Effect":"Allow","Action":["ec2messages:AcknowledgeMessage","ec2)"
     R"(messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:G)"
     R"(etMessages","ec2messages:SendReply"],"Resource":"*"}]})"},
    {"/", "AutoScalingFullAccess",
     "Provides full access to Auto Scaling.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"autoscaling:*","Resource")"
     R"(:"*"},{"Effect":"Allow","Action":"cloudwatch:PutMetricAlarm","Resource":"*"},{"Effect":"Al)"
     R"(low","Action":["ec2:DescribeAccountAttributes","ec2:DescribeAvailabilityZones","ec2:Descri)"
     R"(beImages","ec2:DescribeInstanceAttribute","ec2:DescribeInstances","ec2:DescribeKeyPairs",")"
     R"(ec2:DescribeLaunchTemplateVersions","ec2:DescribePlacementGroups","ec2:DescribeSecurityGro)"
     R"(ups","ec2:DescribeSpotInstanceRequests","ec2:DescribeSubnets","ec2:DescribeVpcClassicLink")"
     R"(],"Resource":"*"},{"Effect":"Allow","Action":["elasticloadbalancing:DescribeLoadBalancers")"
     R"(,"elasticloadbalancing:DescribeTargetGroups"],"Resource":"*"}]})"},
    {"/", "CloudWatchAgentServerPolicy",
     "Permissions required to use AmazonCloudWatchAgent on servers",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:PutMetricData)"
     R"(","ec2:DescribeVolumes","ec2:DescribeTags","logs:PutLogEvents","logs:PutRetentionPolicy",")"
     R"(logs:DescribeLogStreams","logs:DescribeLogGroups","logs:CreateLogStream","logs:CreateLogGr)"
     R"(oup","xray:PutTraceSegments","xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetS)"
     R"(amplingTargets","xray:GetSamplingStatisticSummaries"],"Resource":"*"},{"Effect":"Allow","A)"
     R"(ction":["ssm:GetParameter"],"Resource":"arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*"}]})"},
    {"/", "CloudWatchFullAccess",
     "Provides full access to CloudWatch.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:Describe*",")"
     R"(cloudwatch:*","logs:*","sns:*","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","oam:L)"
     R"(istSinks"],"Resource":"*"},{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resou)"
     R"(rce":"arn:aws:iam::*:role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatc)"
     R"(hEvents*","Condition":{"StringLike":{"iam:AWSServiceName":"events.amazonaws.com"}}}]})"},
    {"/", "CloudWatchLambdaInsightsExecutionRolePolicy",
     "Policy required for the Lambda Insights Extension",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:CreateLogGroup","Res)"
     R"(ource":"*"},{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resou)"
     R"(rce":"arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"}]})"},
    {"/", "CloudWatchLogsFullAccess",
     "Provides full access to CloudWatch Logs",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*","cloudwatch:Gene)"
     R"(rateQuery","cloudwatch:GenerateQueryResultsSummary"],"Resource":"*"}]})"},
    {"/", "CloudWatchLogsReadOnlyAccess",
     "Provides read only access to CloudWatch Logs",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:Describe*","logs:Ge)"
     R"(t*","logs:List*","logs:StartQuery","logs:StopQuery","logs:TestMetricFilter","logs:FilterLo)"
     R"(gEvents","logs:StartLiveTail","logs:StopLiveTail","cloudwatch:GenerateQuery","cloudwatch:G)"
     R"(enerateQueryResultsSummary"],"Resource":"*"}]})"},
    {"/", "CloudWatchReadOnlyAccess",
     "Provides read only access to CloudWatch.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["application-autoscaling:)"
     R"(DescribeScalingPolicies","autoscaling:Describe*","cloudwatch:BatchGet*","cloudwatch:Descri)"
     R"(be*","cloudwatch:GenerateQuery","cloudwatch:Get*","cloudwatch:List*","logs:Get*","logs:Lis)"
     R"(t*","logs:StartQuery","logs:StopQuery","logs:Describe*","logs:TestMetricFilter","logs:Filt)"
     R"(erLogEvents","logs:StartLiveTail","logs:StopLiveTail","sns:Get*","sns:List*"],"Resource":")"
     R"(*"}]})"},
    {"/", "ElasticLoadBalancingFullAccess",
     "Provides full access to Amazon ElasticLoadBalancing, and limited access to other services "
     "necessary to provide ElasticLoadBalancing features.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"elasticloadbalancing:*",")"
     R"(Resource":"*"},{"Effect":"Allow","Action":["ec2:DescribeAccountAttributes","ec2:DescribeAd)"
     R"(dresses","ec2:DescribeInternetGateways","ec2:DescribeSecurityGroups","ec2:DescribeSubnets")"
     R"(,"ec2:DescribeVpcs","ec2:DescribeVpcClassicLink","ec2:DescribeInstances","ec2:DescribeNetw)"
     R"(orkInterfaces","ec2:DescribeClassicLinkInstances","ec2:DescribeRouteTables","cognito-idp:D)"
     R"(escribeUserPoolClient"],"Resource":"*"},{"Effect":"Allow","Action":"iam:CreateServiceLinke)"
     R"(dRole","Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":"elasticloadbalanc)"
     R"(ing.amazonaws.com"}}}]})"},
    {"/", "ElasticLoadBalancingReadOnly",
     "Provides read only access to Amazon ElasticLoadBalancing and dependent services",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["elasticloadbalancing:Des)"
     R"(cribe*","elasticloadbalancing:Get*"],"Resource":"*"},{"Effect":"Allow","Action":["ec2:Desc)"
     R"(ribeInstances","ec2:DescribeClassicLinkInstances","ec2:DescribeSecurityGroups"],"Resource")"
     R"(:"*"}]})"},
    {"/", "IAMFullAccess",
     "Provides full access to IAM via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","organizations:De)"
     R"(scribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalU)"
     R"(nit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParent)"
     R"(s","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPoli)"
     R"(cies","organizations:ListTargetsForPolicy"],"Resource":"*"}]})"},
    {"/", "IAMReadOnlyAccess",
     "Provides read only access to IAM via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCredentialRe)"
     R"(port","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomP)"
     R"(olicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]})"},
    {"/", "IAMUserChangePassword",
     "Provides the ability for an IAM user to change their own password.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword"],"Re)"
     R"(source":["arn:aws:iam::*:user/${aws:username}"]},{"Effect":"Allow","Action":["iam:GetAccou)"
     R"(ntPasswordPolicy"],"Resource":"*"}]})"},
    {"/", "PowerUserAccess",
     "Provides full access to AWS services and resources, but does not allow management of Users"
     " and groups.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations)"
     R"(:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["account:GetAccountInformatio)"
     R"(n","account:GetPrimaryEmail","account:ListRegions","iam:CreateServiceLinkedRole","iam:Dele)"
     R"(teServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"})"
     R"(]})"},
    {"/", "ReadOnlyAccess",
     "Provides read-only access to AWS services and resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:GET","applica)"
     R"(tion-autoscaling:Get*","application-autoscaling:List*","application-autoscaling:Describe*")"
     R"(,"autoscaling:Get*","autoscaling:List*","autoscaling:Describe*","cloudformation:Get*","clo)"
     R"(udformation:List*","cloudformation:Describe*","cloudformation:Detect*","cloudformation:Est)"
     R"(imateTemplateCost","cloudformation:ValidateTemplate","cloudtrail:Get*","cloudtrail:List*",)"
     R"("cloudtrail:Describe*","cloudtrail:LookupEvents","cloudwatch:Get*","cloudwatch:List*","clo)"
     R"(udwatch:Describe*","codedeploy:Get*","codedeploy:List*","codedeploy:Describe*","codedeploy)"
     R"(:BatchGet*","dynamodb:Get*","dynamodb:List*","dynamodb:Describe*","dynamodb:BatchGet*","dy)"
     R"(namodb:PartiQLSelect","dynamodb:Query","dynamodb:Scan","ec2:Get*","ec2:List*","ec2:Describ)"
     R"(e*","ecr:Get*","ecr:List*","ecr:Describe*","ecr:BatchCheck*","ecr:BatchGet*","ecs:Get*","e)"
     R"(cs:List*","ecs:Describe*","eks:Get*","eks:List*","eks:Describe*","elasticloadbalancing:Get)"
     R"(*","elasticloadbalancing:List*","elasticloadbalancing:Describe*","events:Get*","events:Lis)"
     R"(t*","events:Describe*","events:TestEventPattern","iam:Get*","iam:List*","iam:Describe*","i)"
     R"(am:Generate*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy","kinesis:Get*","kin)"
     R"(esis:List*","kinesis:Describe*","kms:Get*","kms:List*","kms:Describe*","lambda:Get*","lamb)"
     R"(da:List*","lambda:Describe*","logs:Get*","logs:List*","logs:Describe*","logs:FilterLogEven)"
     R"(ts","logs:StartQuery","logs:StopQuery","logs:TestMetricFilter","logs:StartLiveTail","logs:)"
     R"(StopLiveTail","route53:Get*","route53:List*","route53:Describe*","s3:Get*","s3:List*","s3:)"
     R"(Describe*","scheduler:Get*","scheduler:List*","scheduler:Describe*","secretsmanager:Descri)"
     R"(beSecret","secretsmanager:GetResourcePolicy","secretsmanager:List*","sns:Get*","sns:List*")"
     R"(,"sns:Describe*","sqs:Get*","sqs:List*","sqs:Receive*","ssm:Get*","ssm:List*","ssm:Describ)"
     R"(e*","states:Get*","states:List*","states:Describe*","sts:GetCallerIdentity","sts:GetAccess)"
     R"(KeyInfo","sts:GetSessionToken","tag:Get*","tag:List*","tag:Describe*","xray:Get*","xray:Li)"
     R"(st*","xray:Describe*","xray:BatchGet*"],"Resource":"*"}]})"},
    {"/job-function/", "ViewOnlyAccess",
     "This policy grants permissions to view resources and basic metadata across all AWS service"
     "s.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["application-autoscaling:)"
     R"(Describe*","application-autoscaling:List*","autoscaling:Describe*","autoscaling:List*","cl)"
     R"(oudformation:Describe*","cloudformation:List*","cloudtrail:Describe*","cloudtrail:List*",")"
     R"(cloudwatch:Describe*","cloudwatch:List*","codedeploy:Describe*","codedeploy:List*","dynamo)"
     R"(db:List*","ec2:Describe*","ec2:List*","ecr:Describe*","ecr:List*","ecs:Describe*","ecs:Lis)"
     R"(t*","eks:List*","elasticloadbalancing:Describe*","elasticloadbalancing:List*","events:Desc)"
     R"(ribe*","events:List*","iam:List*","kinesis:Describe*","kinesis:List*","lambda:List*","logs)"
     R"(:Describe*","logs:List*","route53:Describe*","route53:List*","s3:List*","scheduler:Describ)"
     R"(e*","scheduler:List*","secretsmanager:Describe*","secretsmanager:List*","sns:List*","sqs:L)"
     R"(ist*","ssm:Describe*","ssm:List*","states:Describe*","states:List*"],"Resource":"*"}]})"},
};

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

}  // namespace

std::string AwsPolicy::arn(std::string_view partition) const {
  return str("arn:", partition, ":iam::aws:policy", path, name);
}

// FNV-1a of the name: stable, and unlike that of any policy of a customer's.
std::string AwsPolicy::id() const {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::string text = "ANPAAWS";
  for (int i = 0; i < 14; ++i, hash = (hash >> 5) | (hash << 59)) text += kBase32[hash & 31];
  return text;
}

Time AwsPolicy::created() const { return std::chrono::sys_days(std::chrono::year(2015) / 2 / 6); }

std::span<const AwsPolicy> aws_policies() { return kPolicies; }

const AwsPolicy* find_aws_policy(std::string_view arn) {
  const auto parsed = parse_entity_arn(arn);
  if (!parsed || !parsed->of_aws() || parsed->kind != PolicyRecord::kKind) return nullptr;
  const auto found = std::ranges::lower_bound(kPolicies, std::string_view(parsed->name), {}, &AwsPolicy::name);
  const bool is_it = found != std::end(kPolicies) && found->name == parsed->name && found->path == parsed->path;
  return is_it ? found : nullptr;
}

}  // namespace pileus::services::iam
