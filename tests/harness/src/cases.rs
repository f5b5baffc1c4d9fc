//! Cases as tests: one body, run over several backends.

/// A module of tests, one for each case of a module.
#[macro_export]
macro_rules! cases {
    ($run:path, $attributes:tt, $source:path, $module:ident: $($case:ident,)+) => {
        mod $module {
            use $source as source;
            $($crate::case! { $run, $attributes, $case })+
        }
    };
}

/// One test.
#[macro_export]
macro_rules! case {
    ($run:path, [$([$($attribute:tt)*])?], $case:ident) => {
        #[tokio::test]
        $(#[$($attribute)*])?
        async fn $case() {
            $run(source::$case).await;
        }
    };
}
