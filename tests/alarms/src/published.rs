//! Metrics of AWS's services, as far as the alarms read them.
//!
//! Source: "Amazon API Gateway dimensions and metrics", "Types of metrics for Lambda functions", "Available `CloudWatch`
//! metrics for Amazon SQS", in AWS's developer guides.

/// Metric of an AWS service.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Namespace.
    pub namespace: &'static str,
    /// Name.
    pub name: &'static str,
    /// Set of dimensions that the metric is published under, in alphabetical order.
    pub dimensions: &'static [&'static str],
    /// Statistics that AWS recommends for the metric.
    pub statistics: &'static [&'static str],
}

/// Metrics that the alarms may read.
pub const PUBLISHED: [Published; 7] = [
    Published {
        namespace: "AWS/ApiGateway",
        name: "5XXError",
        dimensions: &["ApiName", "Stage"],
        statistics: &["Sum", "Average"],
    },
    Published {
        namespace: "AWS/ApiGateway",
        name: "4XXError",
        dimensions: &["ApiName", "Stage"],
        statistics: &["Sum", "Average"],
    },
    Published {
        namespace: "AWS/ApiGateway",
        name: "Count",
        dimensions: &["ApiName", "Stage"],
        statistics: &["Sum", "SampleCount"],
    },
    Published {
        namespace: "AWS/ApiGateway",
        name: "Latency",
        dimensions: &["ApiName", "Stage"],
        statistics: &["p90", "p99", "Average", "Maximum"],
    },
    Published {
        namespace: "AWS/Lambda",
        name: "Errors",
        dimensions: &["FunctionName"],
        statistics: &["Sum"],
    },
    Published {
        namespace: "AWS/Lambda",
        name: "Throttles",
        dimensions: &["FunctionName"],
        statistics: &["Sum"],
    },
    Published {
        namespace: "AWS/SQS",
        name: "ApproximateNumberOfMessagesVisible",
        dimensions: &["QueueName"],
        statistics: &["Maximum", "Average"],
    },
];
