-- Business reports. Money is at the products' current prices, days are UTC days, and "today" is the day of the last order, so that the
-- same data always gives the same figures. Reads only.
--   mariadb --table DATABASE < reports.sql

SET NAMES utf8mb4;

SELECT 'Revenue by day, the last 14 days with sales' AS report;
SELECT day, orders, units, revenue FROM DailySales ORDER BY day DESC LIMIT 14;

SELECT 'Revenue by month' AS report;
SELECT DATE_FORMAT(day, '%Y-%m') AS month, SUM(orders) AS orders, SUM(units) AS units, SUM(revenue) AS revenue,
       SUM(revenue) - LAG(SUM(revenue)) OVER (ORDER BY DATE_FORMAT(day, '%Y-%m')) AS changeToMonthBefore
FROM DailySales GROUP BY month ORDER BY month;

-- Days without sales count as 0 in the average: every day of the span stands in the calendar.
SELECT 'Sales trend: revenue a day with its moving average over 7 days, the last 28 days' AS report;
WITH RECURSIVE span AS (SELECT MAX(day) AS last, MIN(day) AS first FROM DailySales),
calendar AS (SELECT last AS day FROM span UNION ALL
             SELECT day - INTERVAL 1 DAY FROM calendar JOIN span WHERE day > GREATEST(first, last - INTERVAL 34 DAY)),
trend AS (SELECT c.day, COALESCE(s.revenue, 0) AS revenue,
                 ROUND(AVG(COALESCE(s.revenue, 0)) OVER (ORDER BY c.day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW), 2) AS average7
          FROM calendar c LEFT JOIN DailySales s ON s.day = c.day)
SELECT day, revenue, average7,
       CASE WHEN average7 > LAG(average7) OVER (ORDER BY day) THEN 'up' WHEN average7 < LAG(average7) OVER (ORDER BY day) THEN 'down' ELSE '' END AS trend
FROM trend ORDER BY day DESC LIMIT 28;

SELECT 'Best sellers: the 10 products with the most units' AS report;
SELECT p.id, p.name, s.units, s.units * p.currentPrice AS revenue, RANK() OVER (ORDER BY s.units DESC) AS place
FROM (SELECT product_id, SUM(quantity) AS units FROM Orderline GROUP BY product_id) s JOIN Product p ON p.id = s.product_id
ORDER BY s.units DESC, p.id LIMIT 10;

SELECT 'Slow sellers: the 10 products with the fewest units, never sold first' AS report;
SELECT p.id, p.name, COALESCE(s.units, 0) AS units, p.availableQuantity
FROM Product p LEFT JOIN (SELECT product_id, SUM(quantity) AS units FROM Orderline GROUP BY product_id) s ON s.product_id = p.id
ORDER BY units, p.id LIMIT 10;

SELECT 'Basket size' AS report;
SELECT COUNT(*) AS orders, ROUND(AVG(products), 2) AS productsAnOrder, ROUND(AVG(units), 2) AS unitsAnOrder, ROUND(AVG(total), 2) AS moneyAnOrder,
       MAX(units) AS mostUnits, MAX(total) AS mostMoney
FROM MvOrderHistory WHERE products > 0;

SELECT 'Repeat rate: customers who came back' AS report;
SELECT COUNT(*) AS buyers, SUM(orders > 1) AS cameBack, ROUND(100 * SUM(orders > 1) / COUNT(*), 1) AS percent,
       ROUND(AVG(IF(orders > 1, DATEDIFF(last, first) / (orders - 1), NULL)), 1) AS daysBetweenOrders
FROM (SELECT customer_id, COUNT(*) AS orders, MIN(datePlaced) AS first, MAX(datePlaced) AS last FROM `Order` GROUP BY customer_id) o;

-- Scores 1 to 5 by fifths of the buyers, 5 is best; ties are broken by the customer's id.
SELECT 'Recency, frequency, money: the 20 best customers' AS report;
WITH bought AS (SELECT customer_id, DATEDIFF((SELECT MAX(datePlaced) FROM `Order`), MAX(datePlaced)) AS recency, COUNT(*) AS frequency, SUM(total) AS money
                FROM MvOrderHistory GROUP BY customer_id),
scored AS (SELECT b.*, NTILE(5) OVER (ORDER BY recency DESC, customer_id) AS r, NTILE(5) OVER (ORDER BY frequency, customer_id) AS f,
                  NTILE(5) OVER (ORDER BY money, customer_id) AS m FROM bought b)
SELECT s.customer_id, CONCAT(c.firstName, ' ', c.lastName) AS CustomerName, s.recency, s.frequency, s.money, s.r, s.f, s.m,
       CASE WHEN s.r >= 4 AND s.f >= 4 THEN 'champion' WHEN s.r >= 4 THEN 'recent' WHEN s.f >= 4 THEN 'at risk' ELSE 'other' END AS segment
FROM scored s JOIN Customer c ON c.id = s.customer_id
ORDER BY s.r + s.f + s.m DESC, s.money DESC, s.customer_id LIMIT 20;

SELECT 'Segments by recency and frequency' AS report;
WITH bought AS (SELECT customer_id, DATEDIFF((SELECT MAX(datePlaced) FROM `Order`), MAX(datePlaced)) AS recency, COUNT(*) AS frequency, SUM(total) AS money
                FROM MvOrderHistory GROUP BY customer_id),
scored AS (SELECT b.*, NTILE(5) OVER (ORDER BY recency DESC, customer_id) AS r, NTILE(5) OVER (ORDER BY frequency, customer_id) AS f FROM bought b)
SELECT CASE WHEN r >= 4 AND f >= 4 THEN 'champion' WHEN r >= 4 THEN 'recent' WHEN f >= 4 THEN 'at risk' ELSE 'other' END AS segment,
       COUNT(*) AS customers, SUM(frequency) AS orders, SUM(money) AS money
FROM scored GROUP BY segment ORDER BY money DESC, segment;

SELECT 'Customers of Houston and what they spent' AS report;
SELECT ci.city, ci.state, COUNT(DISTINCT c.id) AS customers, COUNT(h.order_id) AS orders, COALESCE(SUM(h.total), 0) AS money
FROM City ci JOIN Customer c ON c.zip = ci.zip LEFT JOIN MvOrderHistory h ON h.customer_id = c.id
WHERE ci.city = 'Houston' GROUP BY ci.city, ci.state;
