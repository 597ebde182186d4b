// The requests of the bench on net/http and pgx: the statements come by standard input, the bytes are the API's.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type job struct {
	Host, User, Password, Database string
	Port                           uint16
	Pool                           int32
	Threads                        int
	Statements                     struct{ One, Page, Filter, Claim, Lock, Record, Take, Store string }
}

type shop struct {
	pool *pgxpool.Pool
	job
}

func main() {
	stdin := bufio.NewReader(os.Stdin)
	text, err := stdin.ReadBytes('\n')
	must(err)
	var given job
	must(json.Unmarshal(text, &given))
	// Whoever started this holds the other end of standard input; when it is gone, so is the reason to go on.
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		os.Exit(0)
	}()
	runtime.GOMAXPROCS(given.Threads)
	config, err := pgxpool.ParseConfig("")
	must(err)
	c := config.ConnConfig
	c.Host, c.Port, c.User, c.Password, c.Database = given.Host, given.Port, given.User, given.Password, given.Database
	c.TLSConfig, c.Fallbacks = nil, nil
	config.MaxConns = given.Pool
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	must(err)
	s := &shop{pool, given}
	http.HandleFunc("GET /api/v1/products/{id}", s.readProduct)
	http.HandleFunc("GET /api/v1/products", s.readPage)
	http.HandleFunc("GET /api/v1/products/filter", s.readFilter)
	http.HandleFunc("POST /api/v1/orders", s.placeOrder)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	must(http.Serve(listener, nil))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(w http.ResponseWriter, status int, body []byte, err error) {
	if err != nil {
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (s *shop) readProduct(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	body, err := showProduct(make([]byte, 0, 256), s.pool.QueryRow(r.Context(), s.Statements.One, id))
	answer(w, http.StatusOK, body, err)
}

func (s *shop) readPage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	body, err := s.showAll(r.Context(), s.Statements.Page, number(query, "limit"), number(query, "skip"))
	answer(w, http.StatusOK, body, err)
}

func (s *shop) readFilter(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	most, _ := strconv.ParseFloat(query.Get("max_price"), 64)
	pattern := "%" + query.Get("search") + "%"
	body, err := s.showAll(r.Context(), s.Statements.Filter, pattern, int64(math.Round(most*100)), number(query, "limit"), 0)
	answer(w, http.StatusOK, body, err)
}

func number(query url.Values, name string) int64 {
	value, _ := strconv.ParseInt(query.Get(name), 10, 64)
	return value
}

func (s *shop) showAll(ctx context.Context, sql string, values ...any) ([]byte, error) {
	rows, err := s.pool.Query(ctx, sql, values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	body := append(make([]byte, 0, 4096), '[')
	for rows.Next() {
		if len(body) > 1 {
			body = append(body, ',')
		}
		if body, err = showProduct(body, rows); err != nil {
			return nil, err
		}
	}
	return append(body, ']'), rows.Err()
}

func showProduct(body []byte, row pgx.Row) ([]byte, error) {
	var id, price int64
	var stock, version int32
	var name string
	var description *string
	var categoryID *int64
	var category, reviews string
	if err := row.Scan(&id, &name, &description, &price, &stock, &categoryID, &version, &category, &reviews); err != nil {
		return nil, err
	}
	body = fmt.Appendf(body, `{"id_key":%d,"name":%s,"description":%s,"price":%s,`, id, quoted(name), quoted(description), decimal(price))
	body = fmt.Appendf(body, `"stock":%d,"category_id":%s,"category":%s,"reviews":%s,`, stock, quoted(categoryID), category, reviews)
	return fmt.Appendf(body, `"version":%d}`, version), nil
}

// As JSON.stringify writes it: nothing but what must be is escaped.
func quoted(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(value))
	return strings.TrimSuffix(text.String(), "\n")
}

func decimal(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

type order struct {
	Client   int64 `json:"client_id"`
	Delivery int16 `json:"delivery_method"`
	Lines    []struct {
		Product  int64 `json:"product_id"`
		Quantity int32 `json:"quantity"`
	}
}

func (s *shop) placeOrder(w http.ResponseWriter, r *http.Request) {
	var given order
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		answer(w, 0, nil, err)
		return
	}
	var body []byte
	err := pgx.BeginFunc(r.Context(), s.pool, func(tx pgx.Tx) (err error) {
		body, err = s.record(r.Context(), tx, given, r.Header.Get("Idempotency-Key"))
		return err
	})
	answer(w, http.StatusCreated, body, err)
}

func (s *shop) record(ctx context.Context, tx pgx.Tx, given order, key string) ([]byte, error) {
	principal := fmt.Sprintf("client:%d", given.Client)
	if _, err := tx.Exec(ctx, s.Statements.Claim, principal, key, key); err != nil {
		return nil, err
	}
	var ids, orders []int64
	var quantities []int32
	for _, line := range given.Lines {
		ids, quantities = append(ids, line.Product), append(quantities, line.Quantity)
	}
	prices, names, err := s.price(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var total, id int64
	for i, price := range prices {
		total += price * int64(quantities[i])
	}
	var date time.Time
	var status int16
	var version int32
	var lineIds []int64
	placed := tx.QueryRow(ctx, s.Statements.Record, total, given.Delivery, given.Client, ids, quantities, prices, names)
	if err := placed.Scan(&id, &date, &status, &version, &lineIds); err != nil {
		return nil, err
	}
	for range ids {
		orders = append(orders, id)
	}
	if _, err := tx.Exec(ctx, s.Statements.Take, ids, quantities, orders, lineIds); err != nil {
		return nil, err
	}
	body := fmt.Appendf(nil, `{"id_key":%d,"date":"%s","total":%s,`, id, date.UTC().Format("2006-01-02T15:04:05.000Z"), decimal(total))
	body = fmt.Appendf(body, `"delivery_method":%d,"status":%d,"client_id":%d,`, given.Delivery, status, given.Client)
	body = fmt.Appendf(body, `"bill_id":null,"refunded":0.00,"version":%d,"lines":[`, version)
	for i, product := range ids {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"id_key":%d,"product_id":%d,"product_name":%s,`, lineIds[i], product, quoted(names[i]))
		body = fmt.Appendf(body, `"quantity":%d,"price":%s}`, quantities[i], decimal(prices[i]))
	}
	body = append(body, "]}"...)
	_, err = tx.Exec(ctx, s.Statements.Store, principal, key, int16(201), "{}", string(body), nil)
	return body, err
}

func (s *shop) price(ctx context.Context, tx pgx.Tx, ids []int64) (prices []int64, names []string, err error) {
	rows, err := tx.Query(ctx, s.Statements.Lock, ids)
	if err != nil {
		return nil, nil, err
	}
	price, name := map[int64]int64{}, map[int64]string{}
	var id, cents int64
	var text string
	if _, err = pgx.ForEachRow(rows, []any{&id, &text, &cents, nil, nil}, func() error {
		price[id], name[id] = cents, text
		return nil
	}); err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		prices, names = append(prices, price[id]), append(names, name[id])
	}
	return prices, names, nil
}
