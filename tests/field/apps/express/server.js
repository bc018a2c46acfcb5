// A small Express application: notes on the tenant's disk, and answers of every kind.
const express = require('express');
const fs = require('fs');
const path = require('path');

const NOTES = path.join(process.env.DATA_DIR, 'notes.txt');
const app = express();
app.use(express.raw({ type: () => true }));

app.get('/', (request, response) => response.type('text').send('hello from Express\n'));
app.get('/big', (request, response) => response.send(Buffer.from('0123456789abcdef'.repeat(8192))));
app.get('/stream', (request, response) => {
  for (let number = 0; number < 20; ++number) response.write(`piece ${number}\n`);
  response.end();
});
app.post('/echo', (request, response) => response.send(request.body));
app.get('/notes', (request, response) => response.sendFile(NOTES));
app.post('/notes', (request, response) => {
  fs.appendFileSync(NOTES, request.body);
  response.status(204).end();
});

app.listen({ fd: 3 });
