//! Requests of API Gateway (REST), for every address that leads to it: a custom domain with or without a base path, the
//! stage's own endpoint, or a local tool.

pub mod response;

use enrollment::log::{by_display, error};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};

use crate::public_base_url::PublicBaseUrl;

/// Stage variable of template.yaml that holds the public base address.
const STAGE_VARIABLE: &str = "PublicBaseUrl";

/// Public base address of the requests of one function.
///
/// Without a custom domain this is the API's own address. No variable of a function can contain it, since API and
/// functions would depend on each other. The stage is created after both and sends it as a stage variable with each
/// request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicBase {
    configured: Option<PublicBaseUrl>,
}

/// Neither the stage nor the function's environment has a usable public base address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("PublicBaseUrl is neither a stage variable nor a setting")]
pub struct NoPublicBaseError;

by_display!(NoPublicBaseError);

impl PublicBase {
    /// `configured` is used for requests without the stage variable: those of a local tool, or of a stage that another
    /// template made.
    pub fn new(configured: Option<PublicBaseUrl>) -> Self {
        Self { configured }
    }

    /// Returns the address (`https://cards.example.com/rewards`) without a slash at its end.
    ///
    /// # Errors
    /// Error where neither has an address, or the stage's is not an http(s) address.
    pub fn of(&self, request: &Request) -> Result<PublicBaseUrl, NoPublicBaseError> {
        let variables = request.stage_variables_ref();
        let base = match variables.and_then(|variables| variables.first(STAGE_VARIABLE)) {
            Some(text) => PublicBaseUrl::parse(text).ok(),
            None => self.configured.clone(),
        };
        base.ok_or(NoPublicBaseError)
            .inspect_err(|error| error!(error, "public address missing"))
    }
}

/// Returns the path of a request as template.yaml names its routes, with `{proxy+}` filled in: `/widget/demo`.
///
/// The event's own `path` is no substitute: behind a custom domain it starts with the base path. `resource` and
/// `pathParameters` never do. Local tools send the other event format of API Gateway, which has no base path.
pub fn route(request: &Request) -> String {
    let resource = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref(),
        _ => None,
    };
    match resource {
        Some(resource) => filled_in(resource, request),
        None => request.raw_http_path().to_owned(),
    }
}

fn filled_in(resource: &str, request: &Request) -> String {
    let parameters = request.path_parameters_ref();
    let segments = resource.split('/').map(|segment| {
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .map(|name| name.trim_end_matches('+'));
        match name {
            Some(name) => parameters
                .and_then(|parameters| parameters.first(name))
                .unwrap_or_default(),
            None => segment,
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A request as `lambda_http` makes it of an event.
    fn request(event: &serde_json::Value) -> Request {
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }

    fn rest(resource: &str, path: &str, proxy: Option<&str>) -> Request {
        request(&json!({
            "resource": resource, "path": path, "httpMethod": "GET", "headers": {}, "multiValueHeaders": {},
            "queryStringParameters": null, "multiValueQueryStringParameters": null,
            "pathParameters": proxy.map(|proxy| json!({"proxy": proxy})),
            "stageVariables": {"PublicBaseUrl": "https://cards.example.com/rewards"},
            "requestContext": {
                "resourcePath": resource, "httpMethod": "GET", "path": path, "stage": "live", "identity": {}
            },
            "body": null, "isBase64Encoded": false,
        }))
    }

    #[test]
    fn base_path_is_not_part_of_the_route() {
        for (resource, path, proxy, expected) in [
            (
                "/widget/{proxy+}",
                "/rewards/widget/demo/",
                Some("demo/"),
                "/widget/demo/",
            ),
            (
                "/widget/{proxy+}",
                "/a/b/widget/demo",
                Some("demo"),
                "/widget/demo",
            ),
            (
                "/widget/{proxy+}",
                "/widget/widget/widget/",
                Some("widget/"),
                "/widget/widget/",
            ),
            (
                "/widget/{proxy+}",
                "/live/widget/a/pictures/b.png",
                Some("a/pictures/b.png"),
                "/widget/a/pictures/b.png",
            ),
            ("/widget/{proxy+}", "/widget/", None, "/widget/"),
            (
                "/widget/csp-report",
                "/rewards/widget/csp-report",
                None,
                "/widget/csp-report",
            ),
            (
                "/widget/api/enroll/extension",
                "/x/widget/api/enroll/extension/",
                None,
                "/widget/api/enroll/extension",
            ),
        ] {
            assert_eq!(route(&rest(resource, path, proxy)), expected, "{path}");
        }
    }

    #[test]
    fn path_without_a_resource_is_the_route() {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/widget/demo/", "rawQueryString": "",
            "headers": {},
            "requestContext": {
                "stage": "$default", "timeEpoch": 0,
                "http": {"method": "GET", "path": "/widget/demo/"}
            },
            "isBase64Encoded": false,
        });
        assert_eq!(route(&request(&event)), "/widget/demo/");
    }

    #[test]
    fn stage_variable_precedes_the_setting() {
        let configured = PublicBase::new(Some(PublicBaseUrl::parse("http://localhost:8700").unwrap()));
        let with_variable = rest("/widget/{proxy+}", "/rewards/widget/demo", Some("demo"));
        assert_eq!(
            configured.of(&with_variable).unwrap().as_str(),
            "https://cards.example.com/rewards"
        );
        assert_eq!(
            configured.of(&Request::default()).unwrap().as_str(),
            "http://localhost:8700"
        );
        assert_eq!(
            PublicBase::new(None).of(&Request::default()),
            Err(NoPublicBaseError)
        );
    }
}
