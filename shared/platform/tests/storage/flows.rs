//! Cases of `harness` over the product's adapters; `enrollment` runs the same cases over the reference model.

harness::settlement_tests!(
    engine::case_on_engine_of_aws,
    [ignore = "needs the local AWS: cargo xtask test --only storage"]
);

mod conformance {
    harness::conformance_tests!(
        engine::case_on_every_engine,
        [ignore = "needs the local AWS: cargo xtask test --only storage"]
    );
}
