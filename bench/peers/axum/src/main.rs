//! The requests of the bench on axum, tokio and tokio-postgres: the statements come by standard input, the bytes are the API's.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use chrono::{DateTime, SecondsFormat, Utc};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use serde::Deserialize;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write;
use std::io::Read;
use std::sync::Arc;
use tokio_postgres::types::Json;
use tokio_postgres::{Config, NoTls, Row};

#[derive(Deserialize)]
struct Job {
    host: String,
    port: u16,
    user: String,
    password: String,
    database: String,
    pool: usize,
    threads: usize,
    statements: Statements,
}

#[derive(Deserialize)]
struct Statements {
    one: String,
    page: String,
    filter: String,
    claim: String,
    lock: String,
    record: String,
    take: String,
    store: String,
}

struct Shop {
    pool: Pool,
    sql: Statements,
}

type Fault = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let mut text = String::new();
    std::io::stdin().read_line(&mut text)?;
    let job: Job = serde_json::from_str(&text)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(job.threads).enable_all().build()?;
    // Whoever started this holds the other end of standard input; when it is gone, so is the reason to go on.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(serve(job))
}

async fn serve(job: Job) -> Result<(), Fault> {
    let mut config = Config::new();
    config.host(&job.host).port(job.port).user(&job.user).password(&job.password).dbname(&job.database);
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let pool = Pool::builder(manager).max_size(job.pool).build()?;
    let app = Router::new()
        .route("/api/v1/products/{id}", get(read_product))
        .route("/api/v1/products", get(read_page))
        .route("/api/v1/products/filter", get(read_filter))
        .route("/api/v1/orders", post(place_order))
        .with_state(Arc::new(Shop { pool, sql: job.statements }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"port\":{}}}", listener.local_addr()?.port());
    axum::serve(listener, app).await?;
    Ok(())
}

fn answer(status: StatusCode, outcome: Result<String, Fault>) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match outcome {
        Ok(body) => (status, json, body).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, json, "{}".to_string()).into_response(),
    }
}

async fn read_product(State(shop): State<Arc<Shop>>, Path(id): Path<i64>) -> Response {
    let work = async {
        let client = shop.pool.get().await?;
        let statement = client.prepare_cached(&shop.sql.one).await?;
        let mut body = String::with_capacity(256);
        show_product(&mut body, &client.query_one(&statement, &[&id]).await?)?;
        Ok(body)
    };
    answer(StatusCode::OK, work.await)
}

fn query_of(text: Option<String>) -> HashMap<String, String> {
    let pairs = text.unwrap_or_default();
    pairs.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

fn number(query: &HashMap<String, String>, name: &str) -> Result<i64, Fault> {
    Ok(query.get(name).map_or("0", String::as_str).parse()?)
}

async fn read_page(State(shop): State<Arc<Shop>>, RawQuery(text): RawQuery) -> Response {
    let work = async {
        let query = query_of(text);
        let client = shop.pool.get().await?;
        let statement = client.prepare_cached(&shop.sql.page).await?;
        show_all(&client.query(&statement, &[&number(&query, "limit")?, &number(&query, "skip")?]).await?)
    };
    answer(StatusCode::OK, work.await)
}

async fn read_filter(State(shop): State<Arc<Shop>>, RawQuery(text): RawQuery) -> Response {
    let work = async {
        let query = query_of(text);
        let pattern = format!("%{}%", query.get("search").map_or("", String::as_str));
        let most = (query.get("max_price").map_or("0", String::as_str).parse::<f64>()? * 100.0).round() as i64;
        let client = shop.pool.get().await?;
        let statement = client.prepare_cached(&shop.sql.filter).await?;
        show_all(&client.query(&statement, &[&pattern, &most, &number(&query, "limit")?, &0_i64]).await?)
    };
    answer(StatusCode::OK, work.await)
}

fn show_all(rows: &[Row]) -> Result<String, Fault> {
    let mut body = String::with_capacity(256 * rows.len() + 2);
    body.push('[');
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        show_product(&mut body, row)?;
    }
    body.push(']');
    Ok(body)
}

fn show_product(body: &mut String, row: &Row) -> Result<(), Fault> {
    let (id, price, stock, version): (i64, i64, i32, i32) = (row.get("id_key"), row.get("price_cents"), row.get("stock"), row.get("version"));
    let name = serde_json::to_string(row.get::<_, &str>("name"))?;
    let description = serde_json::to_string(&row.get::<_, Option<&str>>("description"))?;
    let category_id = row.get::<_, Option<i64>>("category_id").map_or("null".to_string(), |id| id.to_string());
    let (category, reviews): (&str, &str) = (row.get("category"), row.get("reviews"));
    write!(body, "{{\"id_key\":{id},\"name\":{name},\"description\":{description},\"price\":{},", decimal(price))?;
    write!(body, "\"stock\":{stock},\"category_id\":{category_id},\"category\":{category},\"reviews\":{reviews},")?;
    write!(body, "\"version\":{version}}}")?;
    Ok(())
}

fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[derive(Deserialize)]
struct Order {
    client_id: i64,
    delivery_method: i16,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    product_id: i64,
    quantity: i32,
}

async fn place_order(State(shop): State<Arc<Shop>>, headers: HeaderMap, text: Bytes) -> Response {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    answer(StatusCode::CREATED, record(&shop, key, &text).await)
}

async fn record(shop: &Shop, key: &str, text: &[u8]) -> Result<String, Fault> {
    let order: Order = serde_json::from_slice(text)?;
    let mut client = shop.pool.get().await?;
    let (claim, lock) = (client.prepare_cached(&shop.sql.claim).await?, client.prepare_cached(&shop.sql.lock).await?);
    let (record, take) = (client.prepare_cached(&shop.sql.record).await?, client.prepare_cached(&shop.sql.take).await?);
    let store = client.prepare_cached(&shop.sql.store).await?;
    let tx = client.transaction().await?;
    let principal = format!("client:{}", order.client_id);
    tx.query(&claim, &[&principal, &key, &key]).await?;
    let ids: Vec<i64> = order.lines.iter().map(|line| line.product_id).collect();
    let quantities: Vec<i32> = order.lines.iter().map(|line| line.quantity).collect();
    let rows = tx.query(&lock, &[&ids]).await?;
    let known: HashMap<i64, (i64, String)> =
        rows.iter().map(|row| (row.get("id_key"), (row.get("price_cents"), row.get("name")))).collect();
    let prices: Vec<i64> = ids.iter().map(|id| known[id].0).collect();
    let names: Vec<&str> = ids.iter().map(|id| known[id].1.as_str()).collect();
    let total: i64 = prices.iter().zip(&quantities).map(|(price, quantity)| price * i64::from(*quantity)).sum();
    let placed = tx.query_one(&record, &[&total, &order.delivery_method, &order.client_id, &ids, &quantities, &prices, &names]).await?;
    let (id, date): (i64, DateTime<Utc>) = (placed.get("id_key"), placed.get("date"));
    let Json(line_ids): Json<Vec<i64>> = placed.get("line_ids");
    tx.query(&take, &[&ids, &quantities, &vec![id; ids.len()], &line_ids]).await?;
    let (status, version): (i16, i32) = (placed.get("status"), placed.get("version"));
    let mut body = String::with_capacity(512);
    write!(body, "{{\"id_key\":{id},\"date\":\"{}\",\"total\":{},", date.to_rfc3339_opts(SecondsFormat::Millis, true), decimal(total))?;
    write!(body, "\"delivery_method\":{},\"status\":{status},\"client_id\":{},", order.delivery_method, order.client_id)?;
    write!(body, "\"bill_id\":null,\"refunded\":0.00,\"version\":{version},\"lines\":[")?;
    for (index, product) in ids.iter().enumerate() {
        let (comma, name) = (if index > 0 { "," } else { "" }, serde_json::to_string(names[index])?);
        write!(body, "{comma}{{\"id_key\":{},\"product_id\":{product},\"product_name\":{name},", line_ids[index])?;
        write!(body, "\"quantity\":{},\"price\":{}}}", quantities[index], decimal(prices[index]))?;
    }
    body.push_str("]}");
    tx.query(&store, &[&principal, &key, &201_i16, &Json(serde_json::json!({})), &Some(&body), &None::<&str>]).await?;
    tx.commit().await?;
    Ok(body)
}
