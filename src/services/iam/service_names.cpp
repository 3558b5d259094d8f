#include "services/iam/service_names.h"

#include <algorithm>

namespace pileus::services::iam {

namespace {

constexpr ServiceName kNames[] = {
    {"acm", "AWS Certificate Manager"},
    {"alexaforbusiness", "Alexa for Business"},
    {"apigateway", "Amazon API Gateway"},
    {"application-autoscaling", "Application Auto Scaling"},
    {"athena", "Amazon Athena"},
    {"autoscaling", "Amazon EC2 Auto Scaling"},
    {"cloudformation", "AWS CloudFormation"},
    {"cloudfront", "Amazon CloudFront"},
    {"cloudtrail", "AWS CloudTrail"},
    {"cloudwatch", "Amazon CloudWatch"},
    {"codebuild", "AWS CodeBuild"},
    {"codecommit", "AWS CodeCommit"},
    {"codedeploy", "AWS CodeDeploy"},
    {"codepipeline", "AWS CodePipeline"},
    {"cognito-idp", "Amazon Cognito User Pools"},
    {"dynamodb", "Amazon DynamoDB"},
    {"ec2", "Amazon EC2"},
    {"ecr", "Amazon Elastic Container Registry"},
    {"ecr-public", "Amazon Elastic Container Registry Public"},
    {"ecs", "Amazon Elastic Container Service"},
    {"eks", "Amazon Elastic Container Service for Kubernetes"},
    {"elasticfilesystem", "Amazon Elastic File System"},
    {"elasticloadbalancing", "AWS Elastic Load Balancing"},
    {"events", "Amazon EventBridge"},
    {"execute-api", "Amazon API Gateway"},
    {"firehose", "Amazon Kinesis Data Firehose"},
    {"iam", "AWS Identity and Access Management"},
    {"kafka", "Amazon Managed Streaming for Apache Kafka"},
    {"kinesis", "Amazon Kinesis Data Streams"},
    {"kms", "AWS Key Management Service"},
    {"lambda", "AWS Lambda"},
    {"logs", "Amazon CloudWatch Logs"},
    {"organizations", "AWS Organizations"},
    {"pipes", "Amazon EventBridge Pipes"},
    {"rds", "Amazon RDS"},
    {"route53", "Amazon Route 53"},
    {"s3", "Amazon S3"},
    {"scheduler", "Amazon EventBridge Scheduler"},
    {"secretsmanager", "AWS Secrets Manager"},
    {"servicediscovery", "AWS Cloud Map"},
    {"ses", "Amazon SES"},
    {"sns", "Amazon SNS"},
    {"sqs", "Amazon SQS"},
    {"ssm", "AWS Systems Manager"},
    {"states", "AWS Step Functions"},
    {"sts", "AWS Security Token Service"},
    {"tag", "Amazon Resource Group Tagging API"},
    {"xray", "AWS X-Ray"},
};
static_assert(std::ranges::is_sorted(kNames, {}, &ServiceName::service_namespace));

}  // namespace

std::span<const ServiceName> service_names() { return kNames; }

std::string_view service_name(std::string_view service_namespace) {
  const auto* found = std::ranges::find(kNames, service_namespace, &ServiceName::service_namespace);
  return found == std::end(kNames) ? service_namespace : found->name;
}

}  // namespace pileus::services::iam
