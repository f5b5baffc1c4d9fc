use serde_json::json;

use super::*;

fn parsed(template: &Value) -> Template {
    Template::parse(&template.to_string()).unwrap()
}

fn routes_of(routes: &[(&str, &str)]) -> BTreeMap<Route, String> {
    let own = |(route, function): &(&str, &str)| ((*route).to_owned(), (*function).to_owned());
    routes.iter().map(own).collect()
}

#[test]
fn routes_are_read_with_their_functions() {
    let uri =
        "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${WidgetInit.Arn}/invocations";
    let template = parsed(
        &json!({"Resources": {"Api": {"Properties": {"Body": {"paths": {"/a": {
            "post": {"x-amazon-apigateway-integration": {"uri": {"Fn::Sub": uri}}}
        }}}}}}}),
    );
    assert_eq!(
        routes(&template).unwrap(),
        routes_of(&[("POST /a", "widget-init")])
    );
}

#[test]
fn routes_and_watched_routes_are_the_same() {
    let routes = routes_of(&[("GET /widget/{proxy+}", "widget-page"), ("POST /a", "enroll")]);
    let faults = |router: &str| {
        let manifest = format!("[workspace.metadata.lambda.watch.router]\n{router}");
        let mut faults = Vec::new();
        watched_routes(&routes, &manifest, &mut faults).unwrap();
        faults
    };
    let page = r#""/widget/{*path}" = [{ function = "widget-page", method = "GET" }]"#;
    let right = format!("{page}\n\"/a\" = [{{ function = \"enroll\", method = \"POST\" }}]");
    assert_eq!(faults(&right), Vec::<String>::new());
    assert_eq!(faults(page), ["POST /a (enroll) is not watched"]);
    assert_eq!(
        faults(&right.replace("enroll", "cancel")),
        ["POST /a (enroll) is not watched"]
    );
    let more = format!("{right}\n\"/b\" = [{{ function = \"enroll\", method = \"GET\" }}]");
    assert_eq!(faults(&more), ["GET /b is watched, and no route"]);
}

#[test]
fn each_route_may_call_its_function_and_no_permission_is_idle() {
    let routes = routes_of(&[
        ("GET /widget/{proxy+}", "widget-page"),
        ("POST /a/{id}", "enroll"),
    ]);
    let permission = |function: &str, source: &str| {
        let source = format!("arn:x:execute-api:y:z:${{Api}}/*/{source}");
        json!({"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "apigateway.amazonaws.com",
            "FunctionName": {"Ref": function}, "SourceArn": {"Fn::Sub": source}}})
    };
    let faults = |page: Value, enroll: Value| {
        let template = parsed(&json!({"Resources": {"A": page, "B": enroll}}));
        let mut faults = Vec::new();
        permissions(&template, &routes, &mut faults).unwrap();
        faults
    };
    let page = permission("WidgetPage", "*/widget/*");
    assert_eq!(
        faults(page.clone(), permission("Enroll", "POST/a/*")),
        Vec::<String>::new()
    );
    let refused = "POST /a/{id} may not call its function";
    for idle in [
        permission("Enroll", "GET/a/*"),
        permission("WidgetPage", "POST/a/*"),
    ] {
        assert_eq!(faults(page.clone(), idle), ["B is for no route", refused]);
    }
}

#[test]
fn each_route_wants_a_limit_and_each_limit_a_route() {
    let setting = |method: &str, path: &str| {
        let limit = json!({"Fn::FindInMap": ["Traffic", {"Ref": "Traffic"}, "CallRate"]});
        json!({"HttpMethod": method, "ResourcePath": path, "LoggingLevel": "OFF", "DataTraceEnabled": false,
            "MetricsEnabled": false, "ThrottlingRateLimit": limit, "ThrottlingBurstLimit": limit})
    };
    let faults = |settings: &[Value]| {
        let stage = json!({"Properties": {"MethodSettings": settings}});
        let template = parsed(&json!({"Resources": {"ApiliveStage": stage}}));
        let mut faults = Vec::new();
        limits(
            &template,
            &routes_of(&[("GET /widget/{proxy+}", "widget-page")]),
            &mut faults,
        )
        .unwrap();
        faults
    };
    let (own, all) = (setting("GET", "/~1widget~1{proxy+}"), setting("*", "/*"));
    assert_eq!(faults(&[all.clone(), own.clone()]), Vec::<String>::new());
    assert_eq!(
        faults(std::slice::from_ref(&all)),
        ["GET /~1widget~1{proxy+} has no limit of its own"]
    );
    assert_eq!(
        faults(&[own.clone(), setting("GET", "/~1b")]),
        ["GET /~1b has a limit, and is no route"]
    );
    // On AWS this is no method of the API, and its limit holds for nothing.
    assert_eq!(faults(&[setting("GET", "/widget/{proxy+}")]).len(), 2);
    let mut loud = own;
    loud["DataTraceEnabled"] = true.into();
    assert_eq!(
        faults(&[loud]),
        ["GET /~1widget~1{proxy+} has other settings than the stage"]
    );
}

#[test]
fn rules_refuse_what_cannot_work_and_nothing_else() {
    let is_empty = |name: &str| json!({"Fn::Equals": [{"Ref": name}, ""]});
    let rule =
        |assert: &Value| json!({"Assertions": [{"Assert": assert, "AssertDescription": "Both or neither."}]});
    let both = json!({"Fn::Or": [
        {"Fn::And": [is_empty("DomainName"), is_empty("CertificateArn")]},
        {"Fn::And": [{"Fn::Not": [is_empty("DomainName")]}, {"Fn::Not": [is_empty("CertificateArn")]}]}
    ]});
    let path = json!({"Fn::Or": [is_empty("BasePath"), {"Fn::Not": [is_empty("DomainName")]}]});
    let address = json!({"Fn::Or": [is_empty("PublicBaseUrl"), is_empty("DomainName")]});
    let keys = json!({"Fn::Or": [is_empty("IssuerBaseUrl"), {"Fn::Not": [is_empty("IssuerKeyIds")]}]});
    let faults = |address: &Value| {
        let template = parsed(&json!({"Rules": {
            "DomainAndCertificateTogether": rule(&both), "BasePathOfDomain": rule(&path), "OnePublicAddress": rule(address),
            "IssuerKeysOfAddress": rule(&keys)
        }}));
        let mut faults = Vec::new();
        rules::check(&template, &mut faults).unwrap();
        faults
    };
    assert_eq!(faults(&address), Vec::<String>::new());
    assert_eq!(
        faults(&is_empty("PublicBaseUrl")).len(),
        1,
        "the address alone is refused"
    );
    // All combinations are refused, one of them rightly.
    assert_eq!(faults(&json!({"Fn::Not": [is_empty("X")]})).len(), 9);
}
