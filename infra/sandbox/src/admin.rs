//! The admin listener: orders faults; shows, changes and deletes the accounts of MRS; shows what the Issuer Enrollment API
//! has, and changes its settings.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

mod issuers;

use crate::faults::Order;
use crate::mastercard::issuer_enrollment::IssuerEnrollment;
use crate::mastercard::mrs::{Account, AddedAccount, Mrs, NewStatus, OverrideError, TEST_CARDS, TestCard};

/// The paths that the README lists.
pub(crate) fn router(mrs: Arc<Mrs>, issuers: Option<Arc<IssuerEnrollment>>) -> Router {
    let reset_issuers = issuers.clone();
    Router::new()
        .route("/health", get(async || Json(json!({"status": "ready"}))))
        .route("/faults", get(open_faults).post(order_fault).delete(clear_faults))
        .route("/faults/{id}", delete(take_fault_back))
        .route("/accounts", get(accounts).post(put_account))
        // A bank customer number to look up, a RANAC to delete.
        .route("/accounts/{name}", get(accounts_of).delete(remove_account))
        .route("/accounts/{name}/status", post(set_status))
        .route("/cards", get(async || Json::<[TestCard; _]>(TEST_CARDS)))
        .route(
            "/reset",
            post(move |state| {
                if let Some(issuers) = &reset_issuers {
                    issuers.reset();
                }
                reset(state)
            }),
        )
        .with_state(mrs)
        .merge(issuers.map(issuers::router).unwrap_or_default())
}

async fn open_faults(State(mrs): State<Arc<Mrs>>) -> Json<Value> {
    Json(mrs.faults.open())
}

async fn order_fault(State(mrs): State<Arc<Mrs>>, Json(order): Json<Order>) -> Response {
    match mrs.faults.add(order) {
        Ok(taken) => (StatusCode::CREATED, Json(taken)).into_response(),
        Err(error) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(json!({"error": error.to_string()})),
        )
            .into_response(),
    }
}

async fn clear_faults(State(mrs): State<Arc<Mrs>>) -> StatusCode {
    mrs.faults.clear();
    StatusCode::NO_CONTENT
}

/// One that was served meanwhile is gone as well.
async fn take_fault_back(State(mrs): State<Arc<Mrs>>, Path(id): Path<u64>) -> StatusCode {
    if mrs.faults.take_back(id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn accounts(State(mrs): State<Arc<Mrs>>) -> Json<Vec<Account>> {
    Json(mrs.accounts())
}

async fn accounts_of(
    State(mrs): State<Arc<Mrs>>,
    Path(bank_customer_number): Path<String>,
) -> Json<Vec<Account>> {
    let mut accounts = mrs.accounts();
    accounts.retain(|account| account.bank_customer_number == bank_customer_number);
    Json(accounts)
}

async fn put_account(
    State(mrs): State<Arc<Mrs>>,
    Json(stray): Json<AddedAccount>,
) -> Result<(StatusCode, Json<Account>), OverrideError> {
    let account = mrs.put(stray).await?;
    tracing::info!("an account was put in by hand");
    Ok((StatusCode::CREATED, Json(account)))
}

async fn set_status(
    State(mrs): State<Arc<Mrs>>,
    Path(ranac): Path<String>,
    Json(NewStatus { status }): Json<NewStatus>,
) -> Result<Json<Account>, OverrideError> {
    let account = mrs.set_status(&ranac, status).await?;
    tracing::info!(?status, "an account was changed by hand");
    Ok(Json(account))
}

async fn remove_account(
    State(mrs): State<Arc<Mrs>>,
    Path(ranac): Path<String>,
) -> Result<StatusCode, OverrideError> {
    mrs.remove(&ranac).await?;
    tracing::info!("an account was taken away by hand");
    Ok(StatusCode::NO_CONTENT)
}

impl IntoResponse for OverrideError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::RanacTaken | Self::CardTaken | Self::Full => StatusCode::CONFLICT,
            Self::BankCustomerNumber | Self::Last4 | Self::Ranac | Self::Program => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}

async fn reset(State(mrs): State<Arc<Mrs>>) -> Json<Value> {
    mrs.reset().await;
    tracing::info!("the stand-in was emptied");
    Json(json!({"accounts": 0, "faults": 0}))
}
