import { SqliteLog } from './sqlite/src/sqlite-log.ts';
import { v7 } from 'uuid';
import { DatabaseSync } from 'node:sqlite';
import { rmSync, mkdirSync } from 'node:fs';
const md = () => JSON.stringify({actor:{id:'svc',roles:['service']},correlationId:v7(),causationId:null,key:{caller:'svc',homeStream:'account-1',value:v7()},commandHash:'a'.repeat(64),recordedAt:'2022-02-15T12:00:00.000Z',previousHash:'b'.repeat(64),hash:'c'.repeat(64)});
const data = JSON.stringify({depositId:'d-123',asset:'BTC',amount:'100000000',source:{kind:'onchain',reference:'tx'.repeat(16)}});
const ev = () => ({id:v7(),type:'FundsDeposited',schemaVersion:1,data,metadata:md()});
const dir=`/tmp/es/l-${process.pid}`; const streams = Array.from({length:64},(_,i)=>`account-bench-${i}`);
const UNIQ=`CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, schema_version INTEGER NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE(stream,revision))`;
const BARE=UNIQ.replace(' UNIQUE','').replace(', UNIQUE(stream,revision)','');
function cpu(f:()=>void){const a=process.cpuUsage();const t=performance.now();f();const u=process.cpuUsage(a);return [(u.user+u.system)/1000, performance.now()-t] as const}
function plain(ddl:string,group:number,groups:number,evs:ReturnType<typeof ev>[]){ mkdirSync(dir,{recursive:true}); const db=new DatabaseSync(dir+'/p.db'); db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;'+ddl);
 const ins=db.prepare('INSERT INTO events VALUES(?,?,?,?,?,?,?,?)'), b=db.prepare('BEGIN'), c=db.prepare('COMMIT'); const rev=new Array(64).fill(0) as number[]; let pos=0;
 const r=cpu(()=>{for(let g=0;g<groups;g++){b.run();for(let i=0;i<group;i++){const e=evs[pos]!;const s=group===64?i:g%64;ins.run(++pos,streams[s]!,rev[s]!,e.id,e.type,1,e.data,e.metadata);rev[s]!++}c.run()}}); db.close(); rmSync(dir,{recursive:true}); return r}
function ours(group:number,groups:number,evs:ReturnType<typeof ev>[]){ const log=new SqliteLog({path:dir+'/o.db'}); const rev=new Array(64).fill(-1) as number[];
 const r=cpu(()=>{for(let g=0;g<groups;g++){ if(group===64) {log.appendGroup(streams.map((stream,i)=>({stream,expected:rev[i]!,events:[evs[g*64+i]!]})));for(let i=0;i<64;i++)rev[i]!++} else {const s=g%64;log.appendGroup([{stream:streams[s]!,expected:rev[s]!,events:evs.slice(g*1000,g*1000+1000)}]);rev[s]!+=1000}}}); log.close(); rmSync(dir,{recursive:true}); return r}
const rows:Record<string,number[][]>={};
for(let k=0;k<5;k++) for(const [group,groups] of [[64,300],[1000,30]] as const){ const evs=Array.from({length:group*groups},ev);
 for(const [n,f] of [['bare',()=>plain(BARE,group,groups,evs)],['uniq',()=>plain(UNIQ,group,groups,evs)],['ours',()=>ours(group,groups,evs)]] as const){ const r=f(); (rows[n+group]??=[]).push([...r].map(x=>x*1000/(group*groups))) } }
for(const [k,v] of Object.entries(rows)) console.log(k.padEnd(10),'cpu us/event',v.map(x=>x[0]!).sort((a,b)=>a-b)[2]!.toFixed(2),'wall',v.map(x=>x[1]!).sort((a,b)=>a-b)[2]!.toFixed(2));
