use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use engine::on_every_engine;
use enrollment::delivery::{Destination, Parked};
use enrollment::identifiers::ClientId;
use enrollment::ports::{ClaimWrite, Confirmations as _};
use jiff::SignedDuration;
use platform::tables::confirmations::admin::{Decided, State};

use crate::confirmations::Scene;
use crate::samples::{CONFIRMATION_URL, client_id};

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_operator_sees_how_a_confirmation_stands_and_what_it_says() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let at = scene.intent.outcome().unwrap().at;
        let found = scene.admin.find(&scene.id).await.unwrap().unwrap();
        assert_eq!((found.state, found.attempts), (State::Due { at }, 0));
        assert_eq!(scene.admin.list(false, None, 10).await.unwrap(), [found]);
        let revealed = scene
            .admin
            .reveal(&scene.permit().await, &scene.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(revealed.url.as_str(), CONFIRMATION_URL);
        assert_eq!(revealed, scene.intent.confirmation().unwrap());

        let claim = scene.claim().await.unwrap();
        let at = scene.now();
        scene.confirmations.delivered(&claim, at).await.unwrap();
        let found = scene.admin.find(&scene.id).await.unwrap().unwrap();
        assert_eq!(found.state, State::Delivered { at });
        assert_eq!(
            scene
                .admin
                .reveal(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            None
        );
        scene.world.clock.advance(SignedDuration::from_hours(7 * 24));
        assert_eq!(scene.admin.find(&scene.id).await.unwrap(), None, "past its time");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn the_list_is_of_one_client_where_one_is_named() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let other = ClientId::parse("other").unwrap();
        assert_eq!(
            scene
                .admin
                .list(false, Some(&client_id()), 10)
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(scene.admin.list(false, Some(&other), 10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn replay_resets_attempts_and_receiver() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let claim = scene.claim().await.unwrap();
        let destination = claim.confirmation.destination();
        let gone = Destination {
            gone: true,
            ..Destination::default()
        };
        let confirmations = &scene.confirmations;
        confirmations
            .update_destination(&client_id(), &destination, &gone)
            .await
            .unwrap();
        confirmations
            .park(&claim, Parked::Gone, Some("http_410"), scene.now())
            .await
            .unwrap();
        scene.world.clock.advance(SignedDuration::from_secs(90));

        assert_eq!(
            scene
                .admin
                .replay(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            Decided::Done
        );
        assert_eq!(scene.due().await, 1);
        assert_eq!(scene.ttl().await, None);
        let state = confirmations
            .destination(&client_id(), &destination)
            .await
            .unwrap();
        assert!(!state.gone);
        let again = scene.claim().await.unwrap();
        assert_eq!((again.attempt, again.waiting_since), (1, scene.now()));
        assert_eq!(again.confirmation, claim.confirmation, "the same id and body");
        // The one who had it before the operator came.
        let noted = confirmations.delivered(&claim, scene.now()).await.unwrap();
        assert_eq!(noted, ClaimWrite::ClaimLost, "it is sent again, and that is told");
        assert_eq!(scene.item().await["state"], AttributeValue::S("due".into()));

        confirmations.delivered(&again, scene.now()).await.unwrap();
        assert_eq!(
            scene
                .admin
                .replay(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            Decided::TooLate
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn drop_deletes_undelivered_ones_only() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        assert_eq!(
            scene
                .admin
                .drop_confirmation(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            Decided::Done
        );
        assert_eq!(scene.admin.find(&scene.id).await.unwrap(), None);
        assert_eq!((scene.claim().await, scene.due().await), (None, 0));
        assert_eq!(
            scene
                .admin
                .drop_confirmation(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            Decided::TooLate
        );
        assert_eq!(
            scene
                .admin
                .replay(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            Decided::TooLate
        );

        let scene = Scene::new(Arc::clone(&scene.world)).await;
        let claim = scene.claim().await.unwrap();
        scene.confirmations.delivered(&claim, scene.now()).await.unwrap();
        assert_eq!(
            scene
                .admin
                .drop_confirmation(&scene.permit().await, &scene.id)
                .await
                .unwrap(),
            Decided::TooLate
        );
        assert!(scene.admin.find(&scene.id).await.unwrap().is_some());
    })
    .await;
}
