// Makes more garbage than its memory holds: it lives if the heap's limit is that of the silo.
const http = require('http');
const v8 = require('v8');

const text = JSON.stringify(
  Array.from({ length: 20000 }, (_, number) => ({ number, text: 'x'.repeat(31) })));

function work(response) {
  const kept = [];
  let turns = 0;
  const turn = () => {
    for (let number = 0; number < 3; ++number) {
      kept.push(JSON.parse(text));
      if (kept.length > 5) kept.shift();
    }
    if (++turns < 100) setImmediate(turn);
    else response.end('done');
  };
  turn();
}

http.createServer((request, response) => {
  if (request.url === '/heap') response.end(String(v8.getHeapStatistics().heap_size_limit));
  else work(response);
}).listen(8080);
