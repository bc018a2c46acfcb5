<?php
// A small PHP application: notes on the tenant's disk, and answers of every kind.
$notes = getenv('DATA_DIR') . '/notes.txt';
$asked = $_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
header('Content-Type: text/plain');
switch ($asked) {
  case 'GET /':
    echo "hello from PHP\n";
    break;
  case 'GET /big':
    echo str_repeat('0123456789abcdef', 8192);
    break;
  case 'GET /stream':
    for ($number = 0; $number < 20; ++$number) {
      echo "piece $number\n";
      flush();
    }
    break;
  case 'POST /echo':
    echo file_get_contents('php://input');
    break;
  case 'GET /notes':
    readfile($notes);
    break;
  case 'POST /notes':
    file_put_contents($notes, file_get_contents('php://input'), FILE_APPEND);
    http_response_code(204);
    break;
  default:
    http_response_code(404);
    echo "no such page\n";
}
